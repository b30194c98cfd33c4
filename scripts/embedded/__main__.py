"""`make run`: starts the embedded system, says where it answers, and stops all of it on Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping

from scripts.embedded.home import CannotStart
from scripts.embedded.stack import PROGRAMS, EmbeddedStack


def say(line: str) -> None:
    print(f"facekit: {line}", file=sys.stderr, flush=True)


def main(programs: Mapping[str, str] = PROGRAMS) -> int:
    stack = EmbeddedStack(say=say, programs=programs)
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
