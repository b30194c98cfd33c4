"""`make settings`: writes docs/settings.md and the marked parts of .env.example, README.md, compose.yaml and the swarm
example, from what the Settings class says."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.settings.papers import papers

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    for path, text in papers(ROOT).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"facekit: wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
