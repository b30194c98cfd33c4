"""Runs a module as `python -m module` would, and ends at once when the launcher does, even by kill -9.

The launcher holds the other end of standard input. Its end is the end of that pipe, on every system and without the
child's help. Jobs in work are safe: their leases run out and they are done again.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _die_with_launcher() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_die_with_launcher, daemon=True).start()
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
