"""The pins of some extras, out of constraints.txt: `python scripts/pins.py gateway dev > pins.txt`.

pip cannot check the hashes of a constraints file by itself: it wants each requirement, dependencies of dependencies
included, as an exact pin with its hashes. Every pin in constraints.txt therefore says which extras it is `for`, and
what this prints is whole for `pip install --require-hashes --no-deps -r pins.txt`.
Standard library only: it runs before any environment exists, here and in the container images.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
FOR = "    # for "


def blocks(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(pin with its hashes, extras it is for) of each package. Raises ValueError for a pin that is for nobody."""
    pin: list[str] = []
    for line in text.splitlines():
        if line.startswith(FOR):
            yield "\n".join(pin), frozenset(line.removeprefix(FOR).split())
            pin = []
        elif line.strip() and not line.startswith("#"):
            pin.append(line)
    if pin:
        raise ValueError(f"{pin[0]} is for no extra: run `make constraints`")


def select(text: str, extras: frozenset[str]) -> list[str]:
    """The pins needed by any of the extras. Raises ValueError for an extra that the constraints do not know."""
    found = list(blocks(text))
    unknown = extras - frozenset().union(*(owners for _, owners in found))
    if unknown:
        raise ValueError(f"no such extra in constraints.txt: {', '.join(sorted(unknown))}")
    return [pin for pin, owners in found if owners & extras]


def main(argv: list[str]) -> int:
    if not argv:
        print("usage: python scripts/pins.py EXTRA...", file=sys.stderr)
        return 2
    try:
        print("\n".join(select(CONSTRAINTS.read_text(encoding="utf-8"), frozenset(argv))))
    except (OSError, ValueError) as error:
        print(f"pins: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
