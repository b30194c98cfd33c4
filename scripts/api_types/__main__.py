"""Writes the types of the API for page and client: `python -m scripts.api_types` (`make types`).

`--check` writes nothing and fails where a file is not what it would write.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.api_types import jsdoc, typed_dicts
from scripts.api_types.language import JsonSchema
from services.common.settings import Settings
from services.gateway.app import create_app

ROOT = Path(__file__).resolve().parents[2]


def schemas() -> Mapping[str, JsonSchema]:
    """Every schema of the OpenAPI document, by name."""
    found: dict[str, JsonSchema] = create_app(Settings(frontend=None)).openapi()["components"]["schemas"]
    return dict(sorted(found.items()))


def files() -> dict[Path, str]:
    """What each file should hold."""
    found = schemas()
    return {
        ROOT / "frontend" / "js" / "api" / "types.js": jsdoc.module(found),
        ROOT / "scripts" / "client" / "types.py": typed_dicts.module(found),
    }


def main(argv: list[str]) -> int:
    stale = [path for path, text in files().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if argv == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the API answers: run `make types`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(files()[path], encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
