"""The pins of some extras, out of constraints.txt: `python scripts/environment/pins.py gateway dev > pins.txt`.

`--without-torch trainer` leaves PyTorch and its CUDA libraries out, and `--only-torch` prints PyTorch's versions,
without hashes: for taking it from an index of its own, whose files are others. `--gpu detector` gives a worker ONNX
Runtime for GPUs, with CUDA's libraries, in place of the one for CPUs alone.

pip cannot check the hashes of a constraints file by itself: it wants each requirement, dependencies of dependencies
included, as an exact pin with its hashes. Every pin in constraints.txt therefore says which extras it is `for`, and
what this prints is whole for `pip install --require-hashes --no-deps -r pins.txt`.
Standard library only: it runs before any environment exists, here and in the container images.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
FOR = "    # for "
TORCH = ("torch", "torchvision")
# The one for GPUs (the extra `gpu`) owns the same module: an environment has one or the other.
ONNX_RUNTIME = "onnxruntime"
# Packages that torch of PyPI needs for GPUs, and that nothing else here needs. nvidia-ml-py is needed by another one.
CUDA = re.compile(r"(nvidia-(?!ml-py)|cuda-).*|triton")


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


def name_of(pin: str) -> str:
    return pin.partition("==")[0]


def chosen(text: str, argv: list[str]) -> list[str]:
    """What the arguments ask for. Raises ValueError as `select` does."""
    if argv == ["--only-torch"]:
        return [pin.split()[0] for pin in select(text, frozenset({"trainer"})) if name_of(pin) in TORCH]
    if argv[:1] == ["--gpu"]:
        if ONNX_RUNTIME not in map(name_of, select(text, frozenset(argv[1:]))):
            raise ValueError(f"--gpu is for extras with {ONNX_RUNTIME}: detector, analyzer or verifier")
        return [pin for pin in select(text, frozenset([*argv[1:], "gpu"])) if name_of(pin) != ONNX_RUNTIME]
    extras = [extra for extra in argv if extra != "--without-torch"]
    pins = select(text, frozenset(extras))
    if extras == argv:
        return pins
    return [pin for pin in pins if name_of(pin) not in TORCH and not CUDA.fullmatch(name_of(pin))]


def main(argv: list[str]) -> int:
    if not argv:
        print(
            "usage: python scripts/environment/pins.py [--without-torch | --gpu] EXTRA..., or --only-torch",
            file=sys.stderr,
        )
        return 2
    try:
        print("\n".join(chosen(CONSTRAINTS.read_text(encoding="utf-8"), argv)))
    except (OSError, ValueError) as error:
        print(f"pins: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
