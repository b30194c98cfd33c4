"""Writes constraints.txt from pyproject.toml (`make constraints`): one resolution for every extra, Python 3.11 to 3.13.

uv resolves; the file holds names, versions, hashes and which extras each pin is for, and names no host. With `--keep`
(`make constraints KEEP=1`) the pins that are there stay as they are, and only what a new requirement needs joins them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from scripts.environment.install import UV
from scripts.environment.pins import CONSTRAINTS, FOR

ROOT = CONSTRAINTS.parent
HEADER = """\
# Every package facekit may install: exact versions, sha256 of each published file, and the extras each one is for.
# Written by `make constraints`; scripts/environment/pins.py picks what an environment needs.
"""

# Required by name but not needed: it tells OpenVINO's makers over the network of each program that imports it.
UNWANTED = ("openvino-telemetry",)
# No facekit runs in its environment, so it goes without what every other one shares.
ALONE = "installer"


def compile_pins(*options: str) -> str:
    """uv's universal resolution of pyproject.toml. Raises CalledProcessError when there is none."""
    command = [str(UV), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--quiet"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-package", "facekit"]
    for name in UNWANTED:
        command += ["--no-emit-package", name]
    command += options
    # The settings of this machine's indexes must not decide what everyone gets.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    finished = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return finished.stdout


def name_of(line: str) -> str:
    return line.partition("==")[0].strip()


def names_of(pins: str) -> set[str]:
    return {name_of(line) for line in pins.splitlines()}


def main(argv: list[str]) -> int:
    if argv not in ([], ["--keep"]):
        print("usage: python -m scripts.environment.lock [--keep]", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = list(project["project"]["optional-dependencies"])
    kept = ("--constraint", str(CONSTRAINTS)) if argv else ()
    pins = compile_pins("--all-extras", "--generate-hashes", *kept)
    owners: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        every = Path(scratch) / "pins.txt"
        every.write_text(pins, encoding="utf-8")
        shared = names_of(compile_pins("--constraint", str(every)))
        for extra in extras:
            needed = names_of(compile_pins("--extra", extra, "--constraint", str(every)))
            for name in needed - shared if extra == ALONE else needed:
                owners.setdefault(name, []).append(extra)

    text = HEADER
    name = ""
    for line in pins.splitlines():
        text += line + "\n"
        if not line.startswith(" "):
            name = name_of(line)
        if not line.endswith("\\"):
            text += f"{FOR}{' '.join(owners[name])}\n"
    CONSTRAINTS.write_text(text, encoding="utf-8")
    print(f"{len(owners)} packages for {', '.join(extras)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
