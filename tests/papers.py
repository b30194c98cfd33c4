"""README and the pages under docs/, and the shell lines in them that tests type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


def text(paper: str) -> str:
    """The page as it is, `paper` being its path in the repository."""
    return (ROOT / paper).read_text(encoding="utf-8")


def section(paper: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return re.split(rf"^## {re.escape(title)}$", text(paper), flags=re.MULTILINE)[1].split("\n## ")[0]


def commands(paper: str, title: str) -> list[str]:
    """The shell blocks under a heading."""
    return re.findall(r"^```sh\n(.*?)^```$", section(paper, title), flags=re.MULTILINE | re.DOTALL)
