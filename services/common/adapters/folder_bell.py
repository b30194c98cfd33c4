"""A bell in a folder: whoever changes something there rings it, and a process that waits for changes wakes at once."""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_STROKES: Final = 4096
_NAME: Final = "bell"  # a named pipe
_LOOK_EVERY_S: Final = 0.01  # where the file system holds no pipes


def ring(folder: Path) -> None:
    """One stroke. Without effect where nobody listens; where strokes pile up unheard, those there are enough."""
    with suppress(OSError):
        pipe = os.open(folder / _NAME, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)


class FolderBell:
    """The listening end. Several processes may listen: all wake, and each stroke is counted off by one of them."""

    def __init__(self, folder: Path) -> None:
        """On a file system without pipes it is made all the same, and `wait` returns early and often."""
        self._pipe: int | None = None
        self._held_open: int | None = None
        with suppress(OSError):
            with suppress(FileExistsError):
                os.mkfifo(folder / _NAME)
            self._pipe = os.open(folder / _NAME, os.O_RDONLY | os.O_NONBLOCK)
            # A pipe without a writer counts as ended, and so as readable, for ever.
            self._held_open = os.open(folder / _NAME, os.O_WRONLY | os.O_NONBLOCK)

    def count_off(self) -> None:
        """Takes one stroke, if there is one, before a look at the folder: a file that comes later has its own."""
        if self._pipe is not None:
            with suppress(BlockingIOError):
                os.read(self._pipe, 1)

    def fileno(self) -> int:
        """Readable once it has rung. Raises OSError where the file system holds no pipes."""
        if self._pipe is None:
            raise OSError(errno.ENOSYS, "no pipe to wait on")
        return self._pipe

    def hush(self) -> None:
        """Takes every stroke there is, for who then looks at everything."""
        if self._pipe is not None:
            with suppress(BlockingIOError):
                while os.read(self._pipe, _STROKES):
                    pass

    def wait(self, timeout_s: float) -> None:
        """Until a stroke is there to be counted off, or the time is over."""
        if self._pipe is None:
            time.sleep(min(timeout_s, _LOOK_EVERY_S))
        else:
            select.select([self._pipe], [], [], timeout_s)

    def close(self) -> None:
        for end in (self._pipe, self._held_open):
            if end is not None:
                os.close(end)
        self._pipe = self._held_open = None
