"""`make run` over the tiny programs."""

import sys

from scripts.embedded import __main__ as run

HERE = "tests.unit.scripts"
PROGRAMS = {
    **dict.fromkeys(("detector", "analyzer", "verifier"), f"{HERE}.tiny_worker"),
    "gateway": f"{HERE}.tiny_gateway",
}

if __name__ == "__main__":
    sys.exit(run.main(PROGRAMS))
