"""docs/settings.md, and README's few settings."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic.fields import FieldInfo

from scripts.settings.written import for_people, groups
from services.common.settings import Settings
from services.common.settings.about import About, about, accepted, variable
from services.common.settings.names import OTHER_NAMES, OTHER_PREFIXES

MOST_TOUCHED = ("port", "host", "api_keys", "home", "retention_days")

INTRODUCTION = """\
# Settings

<!-- `make settings` writes this page from services/common/settings. Do not edit it. -->

Settings are environment variables, or lines of the file `.env` beside `compose.yaml` (`.env.example` shows them all).
Every program reads both. A variable of the shell wins over the file. An empty value means the default. Every setting
has a default, and the defaults suit `make run`.

A name that begins with `FACEKIT_` and is not on this page is refused, with the nearest name that is. A value that
cannot be used is refused too: the program says in one line what is wrong and what is accepted, and ends with code 2.

`make run` and `make bench` start the gateway and the workers and hand all settings on to them. "Workers" are the
processes with a model: the detector, the analyzer and the verifier.
"""

FIXED = """\
## What the stack fixes

Containers get every setting above that they read, except for these:

"""

OTHERS = """\
## Other names

These begin with `FACEKIT_` and are no settings of a service:

"""


def page() -> str:
    sections = [INTRODUCTION]
    for title, fields in groups():
        rows = (
            [
                f"`{variable(name)}`",
                for_people(field) + (f"; in the stack `{stack}`" if (stack := about(field).stack_default) else ""),
                about(field).what,
                accepted(field),
                ", ".join(about(field).readers),
            ]
            for name, field in fields
        )
        sections.append(f"## {title}\n\n" + _table(["name", "default", "what", "accepted", "read by"], rows))
    fixed = ([f"`{variable(name)}`", note.fixed] for name, note in _notes() if note.fixed)
    sections.append(FIXED + _table(["name", "why"], fixed))
    others = ([f"`{name}`", what] for name, what in OTHER_NAMES.items())
    families = ([f"`{prefix}*`", what] for prefix, what in OTHER_PREFIXES.items())
    sections.append(OTHERS + _table(["name", "what"], [*others, *families]))
    return "\n".join(sections)


def readme_part() -> str:
    rows = ([f"`{variable(name)}`", for_people(field), about(field).what] for name, field in _touched())
    return _table(["setting", "default", "what"], rows)


def _touched() -> Iterable[tuple[str, FieldInfo]]:
    return ((name, Settings.model_fields[name]) for name in MOST_TOUCHED)


def _notes() -> Iterable[tuple[str, About]]:
    return ((name, about(field)) for name, field in Settings.model_fields.items())


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
