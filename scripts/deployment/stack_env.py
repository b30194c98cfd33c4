"""What the stack wants in `.env`: writes what is missing, with random secrets, and shows new API keys once. Used by
`make up`. A `FACEKIT_*` name that nothing reads is refused: containers would never see it.

Standard library only: whoever runs the stack needs no Python environment of ours.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENV_FILE = ROOT / ".env"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
# The trainer writes to these folders, so it runs as their owner: whoever runs `make up`. In place of root it runs as
# STAND_IN.
MOUNTED = ("data", "runs")
STAND_IN = 10001
HEADER = "# Secrets of the stack (compose.yaml), written by `make up`. Whoever reads this file may do everything."
_NAME = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", re.MULTILINE)


def secret() -> str:
    """32 random hexadecimal digits: no character that a URL, a shell or compose would read as something else."""
    return secrets.token_hex(16)


def trainer_user() -> tuple[int, int]:
    """User and group id of the trainer."""
    return (os.getuid(), os.getgid()) if os.getuid() else (STAND_IN, STAND_IN)


def make_mounted(folder: Path) -> None:
    """Makes the trainer's folders, which the engine would make as root's. Raises OSError."""
    for name in MOUNTED:
        if not (folder / name).exists():
            (folder / name).mkdir()
            os.chown(folder / name, *trainer_user())


def missing(text: str) -> dict[str, str]:
    """New values for what the text of an .env file does not name, an empty value being one too."""
    named = set(_NAME.findall(text))
    wanted = {
        "POSTGRES_PASSWORD": secret(),
        "REDIS_PASSWORD": secret(),
        "S3_ACCESS_KEY": "facekit",
        "S3_SECRET_KEY": secret(),
        "STACK_API_KEYS": f"user:submit:{secret()},user:read:{secret()}",
        "TRAINER_USER": "{}:{}".format(*trainer_user()),
    }
    return {name: value for name, value in wanted.items() if name not in named}


def unknown(text: str) -> list[str]:
    """A line for each `FACEKIT_*` name of the text or of the shell that docs/settings.md does not list."""
    page = SETTINGS_PAGE.read_text(encoding="utf-8")
    known = re.findall(r"`(FACEKIT_\w+)`", page)
    families = tuple(re.findall(r"`(FACEKIT_\w+)\*`", page))
    names = dict.fromkeys(name for name in (*_NAME.findall(text), *os.environ) if name.startswith("FACEKIT_"))
    return [
        f"{name}: there is no such setting; the nearest is {difflib.get_close_matches(name, known, 1, 0.0)[0]}"
        for name in names
        if name not in known and not name.startswith(families)
    ]


def complete(path: Path) -> dict[str, str]:
    """Adds to the file what it lacks, readable by its owner alone; returns what was added. Raises OSError."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    added = missing(text)
    if not added:
        return {}
    lines = [*text.splitlines(), *([""] if text else []), HEADER, *(f"{name}={value}" for name, value in added.items())]
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(beside, path)  # whole or not at all
    return added


def main(argv: list[str]) -> int:
    path = Path(argv[0]) if argv else ENV_FILE
    try:
        if problems := unknown(path.read_text(encoding="utf-8") if path.exists() else ""):
            print("\n".join(problems), file=sys.stderr)
            return 2
        added = complete(path)
        make_mounted(path.parent)
    except OSError as error:
        print(f"facekit: cannot write {error.filename or path}: {error.strerror}", file=sys.stderr)
        return 1
    if added:
        print(f"facekit: wrote {', '.join(added)} to {path.name}")
    for entry in filter(None, added.get("STACK_API_KEYS", "").split(",")):
        _, role, key = entry.split(":")
        print(f"facekit: API key that may {role}: {key}")
    if "STACK_API_KEYS" in added:
        print(
            f"facekit: they are shown this once; {path.name} keeps them, and an empty STACK_API_KEYS= switches keys off"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
