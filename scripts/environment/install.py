"""Puts pinned packages into an environment: `python -m scripts.environment.install .venv gateway detector`.

uv installs, in a twentieth of pip's time. Where there is no uv or it cannot, since it reads of pip's settings only what
is told to it here, pip installs. Both refuse a file whose hash is not in constraints.txt.
Standard library only: it runs before any package is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.environment import pins

# An environment like the others, with the extra `installer` in it.
UV_HOME = pins.CONSTRAINTS.parent / "build" / "uv"
UV = UV_HOME / "bin" / "uv"
PINNED = ("--quiet", "--require-hashes", "--no-deps", "--requirement")


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


def index_of_pip() -> dict[str, str]:
    """The index that pip's settings name in place of PyPI, as uv wants to be told."""
    command = [python_of(UV_HOME), "-m", "pip", "config", "list"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    named = [line.partition("=")[2].strip("'\"") for line in shown.splitlines() if ".index-url=" in line]
    return {"UV_DEFAULT_INDEX": named[0]} if named else {}


def by_uv(environment: Path, wanted: Path) -> bool:
    command = [str(UV), "pip", "install", "--no-build", "--python", python_of(environment), *PINNED, str(wanted)]
    return subprocess.run(command, env=index_of_pip() | os.environ, check=False).returncode == 0


def by_pip(environment: Path, wanted: Path) -> bool:
    command = [python_of(environment), "-m", "pip", "install", "--only-binary", ":all:", "--no-compile", "--no-input"]
    subprocess.run([python_of(environment), "-m", "ensurepip"], stdout=subprocess.DEVNULL, check=True)
    return subprocess.run([*command, "--disable-pip-version-check", *PINNED, str(wanted)], check=False).returncode == 0


def main(argv: list[str]) -> int:
    if len(argv) < 2:
        print("usage: python -m scripts.environment.install ENVIRONMENT [--gpu] EXTRA...", file=sys.stderr)
        return 2
    environment = Path(argv[0])
    wanted = environment / f"{argv[-1]}.txt"
    try:
        chosen = pins.chosen(pins.CONSTRAINTS.read_text(encoding="utf-8"), argv[1:])
        wanted.write_text("\n".join(chosen), encoding="utf-8")
        if UV.exists():
            if by_uv(environment, wanted):
                return 0
            print("facekit: uv could not install that; pip tries, which takes minutes", file=sys.stderr)
        return 0 if by_pip(environment, wanted) else 1
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"facekit: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
