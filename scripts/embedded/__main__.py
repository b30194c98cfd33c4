"""`make run`: starts the embedded system, says where it answers, and stops all of it on Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from dotenv import dotenv_values
from pydantic import ValidationError

from scripts.embedded.child import ROOT
from scripts.embedded.home import CannotStart
from scripts.embedded.stack import PROGRAMS, EmbeddedStack


def say(line: str) -> None:
    print(f"facekit: {line}", file=sys.stderr, flush=True)


def main(programs: Mapping[str, str] = PROGRAMS) -> int:
    for name, value in dotenv_values(ROOT / ".env").items():
        if name.startswith("FACEKIT_") and value is not None:
            os.environ.setdefault(name, value)
    try:
        stack = EmbeddedStack(say=say, programs=programs)
    except ValidationError as error:
        for problem in error.errors():
            setting = "FACEKIT_" + "_".join(str(part) for part in problem["loc"]).upper()
            say(f"{setting}={problem['input']!r}: {problem['msg']}")
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stack.stop_soon())
    try:
        ready_s = stack.start()
        say(f"ready after {ready_s:.1f} s: {stack.url} (Ctrl-C stops it; logs in {stack.home / 'logs'})")
        stack.supervise()
        say("stopping")
    except CannotStart as error:
        say(str(error))
        return 1
    finally:
        stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
