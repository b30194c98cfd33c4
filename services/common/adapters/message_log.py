"""MessageLog: the messages of one queue as lines of one file, first in, first out, between processes.

Not a file a message: ext4 passes over every inode that was freed within the last minutes when it looks for one to give
out, so that thousands of short-lived files made every new one, photos and crops included, cost half a millisecond of
processor time (twenty times as much as without them).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_POSITION: Final = "{:019d}\n"  # first in the file: where the oldest message that nobody has taken begins
_START: Final = len(_POSITION.format(0))
_READ_BYTES: Final = 4096
_TAKEN_BYTES: Final = 1 << 20  # so much that was taken is worth moving the rest to the front


class MessageLog:
    """Every call locks the file, and the system unlocks it for whoever is killed. Then a message may have been lost,
    or cut off, or be taken once more; none is mixed up with another."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, message: bytes) -> None:
        """Raises ValueError for a message of several lines, OSError."""
        if b"\n" in message:
            raise ValueError("a message is one line")
        line = message + b"\n"
        with self._locked() as file:
            size = os.fstat(file).st_size
            if not size:
                size = os.pwrite(file, _POSITION.format(_START).encode(), 0)
            elif os.pread(file, 1, size - 1) != b"\n":  # the last one was cut off
                line = b"\n" + line
            if os.pwrite(file, line, size) < len(line):
                os.ftruncate(file, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def take(self) -> bytes | None:
        """The oldest message, which belongs to the caller alone; None when there is none. Raises OSError."""
        with self._locked() as file:
            size = os.fstat(file).st_size
            if not size:
                return None
            position = _position(file)
            message = _line(file, position)
            position += len(message)
            if position >= size:
                os.ftruncate(file, 0)
            elif position > _TAKEN_BYTES and size - position < position - _START:
                # Written where only taken messages are: killed before the next line, all is as it was.
                rest = os.pread(file, size - position, position)
                os.pwrite(file, rest, _START)
                os.pwrite(file, _POSITION.format(_START).encode(), 0)
                os.ftruncate(file, _START + len(rest))
            else:
                os.pwrite(file, _POSITION.format(position).encode(), 0)
        return message.removesuffix(b"\n") if message else None

    def __len__(self) -> int:
        with self._locked() as file:
            return os.pread(file, os.fstat(file).st_size, _position(file)).count(b"\n")

    def clear(self) -> None:
        with self._locked() as file:
            os.ftruncate(file, 0)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        # Opened anew each time: threads that share a descriptor would share its lock.
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _position(file: int) -> int:
    """Of the oldest message; the end of the file when it holds none."""
    try:
        return max(int(os.pread(file, _START, 0)), _START)
    except ValueError:  # empty, or written by nobody here
        return _START


def _line(file: int, position: int) -> bytes:
    """From the position to the next newline, which it ends with, or to the end of the file."""
    line = b""
    while part := os.pread(file, _READ_BYTES, position + len(line)):
        line += part
        end = line.find(b"\n")
        if end >= 0:
            return line[: end + 1]
    return line
