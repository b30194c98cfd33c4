"""Every paper that is written from the Settings class, and the marks between which a part of a file is."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.settings.containers import compose_part
from scripts.settings.example import example_part
from scripts.settings.page import page, readme_part

_PART = re.compile(
    r"^(?P<begin>[^\n]*\bsettings: begin\b[^\n]*\n).*?(?=^[^\n]*\bsettings: end\b)", re.DOTALL | re.MULTILINE
)


class MarksMissing(Exception):
    """The file has no line `settings: begin` with a line `settings: end` after it."""


def papers(root: Path) -> dict[Path, str]:
    """What each file must hold. Raises MarksMissing."""
    parts = {
        root / ".env.example": example_part(),
        root / "README.md": readme_part(),
        root / "compose.yaml": compose_part(),
        root / "scripts" / "deployment" / "swarm" / "stack.yaml": compose_part(),
    }
    whole = {root / "docs" / "settings.md": page()}
    return whole | {path: _with_part(path, part) for path, part in parts.items()}


def _with_part(path: Path, part: str) -> str:
    text, count = _PART.subn(lambda found: found["begin"] + part, path.read_text(encoding="utf-8"), count=1)
    if not count:
        raise MarksMissing(f"{path} has no lines `settings: begin` and `settings: end`")
    return text
