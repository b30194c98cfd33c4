"""The settings in .env.example: each with its sentences, and its default as a comment."""

from __future__ import annotations

import textwrap

from pydantic.fields import FieldInfo

from scripts.settings.written import groups, plain
from services.common.settings.about import about, accepted, variable

WIDTH = 120


def example_part() -> str:
    lines: list[str] = []
    for title, fields in groups():
        lines += [f"# --- {title} ---", ""]
        for name, field in fields:
            lines += [*_sentences(field), f"#{variable(name)}={plain(field)}", ""]
    return "\n".join(lines)


def _sentences(field: FieldInfo) -> list[str]:
    note = about(field)
    said = [note.what, f"Accepted: {accepted(field)}."]
    if note.default:
        said.append(f"Default: {note.default}.")
    if note.fixed or note.stack_default:
        said.append(f"In the stack: {note.fixed or f'the default is {note.stack_default}.'}")
    return [line for sentence in said for line in _commented(sentence.replace("`", ""))]


def _commented(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )
