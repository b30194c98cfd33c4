"""What a run of the tests left out, and why: `python -m scripts.checks.skipped REPORT...`, as `--junitxml` writes them.

`make test` ends with it, so that whoever reads its green lines also reads what they do not cover. A test that one
report skips and another ran (the training half's, where there is no torch) is not left out.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class Test(NamedTuple):
    """A test by its module and name; a module that was skipped whole is one with an empty name."""

    module: str
    name: str


def tests_of(report: Path) -> dict[Test, str | None]:
    """The tests of a report, each with why it was skipped, None where it ran. Raises OSError, ParseError."""
    found: dict[Test, str | None] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        test = Test(case.get("classname", ""), case.get("name", ""))
        if skip is None or skip.get("type") == "pytest.xfail":
            found[test] = None
        elif not test.module:  # pytest puts a whole module's name and reason elsewhere
            _, _, said = ast.literal_eval(skip.text or "")
            found[Test(test.name, "")] = said.removeprefix("Skipped: ")
        else:
            found[test] = skip.get("message", "")
    return found


def block(reports: Sequence[Path]) -> str:
    """The lines to print: every reason of every report, the most frequent first."""
    skipped: dict[Test, str] = {}
    ran: set[Test] = set()
    unread = []
    for report in reports:
        try:
            found = tests_of(report)
        except (OSError, ElementTree.ParseError):
            unread.append(f"  all   {report.stem}: these tests did not come to their end")
            continue
        skipped |= {test: why for test, why in found.items() if why is not None}
        ran |= {test for test, why in found.items() if why is None}
    covered = ran | {Test(test.module, "") for test in ran}
    left_out = {test: why for test, why in skipped.items() if test not in covered}
    head = f"facekit: {len(left_out)} tests were skipped, {len(ran)} ran"
    lines = [f"  {count:<5} {why}" for why, count in Counter(left_out.values()).most_common()]
    return "\n".join([head, *lines, *unread])


def main(argv: Sequence[str]) -> int:
    print(block([Path(each) for each in argv]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
