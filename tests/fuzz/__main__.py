"""`make fuzz`: changed photos of every format, the door's answer against the worker's; prints a table.

`python -m tests.fuzz --inputs 200000 --seed 1 --keep FOLDER`; the last is for photos of disagreements.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.door_and_worker import Tally, fuzz
from tests.fuzz.seeds import seeds

# The decoders' times differ: as many inputs of each format would spend most of the run in libheif and libavif.
SHARES = {"JPEG": 0.4, "PNG": 0.25, "WebP": 0.2, "HEIC": 0.1, "AVIF": 0.05}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=200_000, help="over all formats")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the photos of disagreements")
    wanted = parser.parse_args()

    print(f"{'format':8} {'inputs':>8} {'accepted':>9} {'refused':>8} {'disagreements':>14} {'peak MB':>8}")
    failed = False
    # Each format in a process of its own, so that its peak is its own.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        counts = {name: round(wanted.inputs * SHARES[name]) for name in seeds()}
        running = {name: pool.submit(fuzz, name, count, wanted.seed) for name, count in counts.items()}
        for name, future in running.items():
            tally = future.result()
            refused = sum(tally.refused.values())
            figures = (tally.inputs, tally.accepted, refused, len(tally.disagreements), tally.peak_mb)
            print("{:8} {:8} {:9} {:8} {:14} {:8}".format(name, *figures), flush=True)
            failed = failed or bool(tally.disagreements)
            _tell(name, tally, wanted.keep)
    return int(failed)


def _tell(name: str, tally: Tally, keep: Path | None) -> None:
    for photo, door, worker in tally.disagreements[:20]:
        digest = hashlib.sha256(photo).hexdigest()[:12]
        print(f"  {name} {digest}: door {door}, worker {worker}")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{digest}.{name.lower()}").write_bytes(photo)


if __name__ == "__main__":
    sys.exit(main())
