"""Whether tests notice (`make mutants`): each mutant of mutations.py is made in a copy of the project, and the tests
named beside it must fail there. They must pass before. Two mutants at a time, each in a copy of its own.

Ends with 1 when a mutant survives, with 2 when the list does not fit the project any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from scripts.checks.mutations import MUTANTS, Mutant

ROOT: Final = Path(__file__).resolve().parents[2]
COPIES: Final = 2
LIMIT_S: Final = 120.0  # for one run of pytest; usual is 3 to 10 s
TESTS_FAILED: Final = 1  # pytest's exit status; others say that it could not run them


class Unfit(Exception):
    """The list of mutants does not fit the project."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`killed_by` is the first test that failed, None for a mutant that survived."""

    mutant: Mutant
    killed_by: str | None
    seconds: float


def mutated(mutant: Mutant, text: str) -> str:
    """Raises Unfit unless the old text is there exactly once."""
    if text.count(mutant.old) != 1:
        raise Unfit(f"{mutant.name}: {mutant.path} holds {text.count(mutant.old)} times {mutant.old!r}")
    return text.replace(mutant.old, mutant.new)


def copy_project(to: Path) -> None:
    """Every file that git would take, as it is now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


@contextmanager
def edited(tree: Path, mutant: Mutant) -> Iterator[None]:
    """The mutant in the copy; afterwards the file is as it was, its time included."""
    path = tree / mutant.path
    path.write_text(mutated(mutant, path.read_text("utf-8")), "utf-8")
    try:
        yield
    finally:
        shutil.copy2(ROOT / mutant.path, path)


def failure_of(tree: Path, tests: Sequence[str]) -> str | None:
    """The first test that fails, None when all pass. Raises Unfit when pytest cannot run them."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", *tests]
    try:
        # No compiled file is left: Python tells it by size and second, which two mutants of one length may share.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT_S:g} s"
    if done.returncode == 0:
        return None
    failed = [line[7:].partition(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode != TESTS_FAILED or not failed:
        raise Unfit(f"{' '.join(tests)} could not be run:\n{done.stdout}{done.stderr}")
    return failed[0]


def judge(mutant: Mutant, trees: SimpleQueue[Path]) -> Verdict:
    tree = trees.get()
    started = time.monotonic()
    try:
        with edited(tree, mutant):
            return Verdict(mutant, failure_of(tree, mutant.tests), time.monotonic() - started)
    finally:
        trees.put(tree)


def judged(mutants: Sequence[Mutant], folder: Path) -> list[Verdict]:
    """Raises Unfit for a mutant that cannot be made, or tests that fail without any."""
    for mutant in mutants:
        mutated(mutant, (ROOT / mutant.path).read_text("utf-8"))
    trees: SimpleQueue[Path] = SimpleQueue()
    for number in range(COPIES):
        copy_project(folder / str(number))
        trees.put(folder / str(number))
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    if (failed := failure_of(folder / "0", tests)) is not None:
        raise Unfit(f"{failed} fails without any mutant")
    with ThreadPoolExecutor(COPIES) as threads:
        return list(threads.map(lambda mutant: judge(mutant, trees), mutants))


def main(argv: Sequence[str]) -> int:
    """The arguments are words; with any, only mutants with one of them in their name are made."""
    mutants = [mutant for mutant in MUTANTS if not argv or any(word in mutant.name for word in argv)]
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="facekit-mutants-") as folder:
            verdicts = judged(mutants, Path(folder))
    except Unfit as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    width = max(len(each.mutant.name) for each in verdicts)
    for each in verdicts:
        by = each.killed_by.rpartition("/")[2] if each.killed_by else "SURVIVED"
        print(f"{each.mutant.name:<{width}}  {each.seconds:5.1f} s  {by}")
    survived = sum(each.killed_by is None for each in verdicts)
    print(f"{len(verdicts)} mutants, {survived} survived, {time.monotonic() - started:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
