"""Home: the state folder of one embedded system, checked for space and locked while that system runs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

MIN_FREE_BYTES = 200_000_000


class CannotStart(Exception):
    """One line that says what stands in the way and what to do."""


class Home:
    """`stack.json` in it names the running system: its process id, address and children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.logs = self.folder / "logs"
        self._record = self.folder / "stack.json"
        self._handle: int | None = None

    def open(self) -> None:
        """Makes and locks the folder. Raises CannotStart when another system has it, or it is full or not writable."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._record, os.O_RDWR | os.O_CREAT, 0o644)
            free_bytes = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise CannotStart(
                f"cannot use {self.folder} as state folder ({error.strerror}); choose another with FACEKIT_HOME"
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = self._read()
            self._release()
            raise CannotStart(
                f"facekit already runs with {self.folder}"
                + (f" at {other['url']} (process {other['pid']})" if other else "")
                + "; stop it, or choose another folder with FACEKIT_HOME and another FACEKIT_PORT"
            ) from None
        if free_bytes < MIN_FREE_BYTES:
            self._release()
            raise CannotStart(
                f"only {free_bytes / 1e6:.0f} MB are free for {self.folder}, {MIN_FREE_BYTES / 1e6:.0f} MB are needed; "
                "make room, or choose another folder with FACEKIT_HOME"
            )

    def write(self, record: dict[str, Any]) -> None:
        # The lock is on the file itself: its content is replaced, never the file.
        self._record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def close(self) -> None:
        if self._handle is not None:
            self._record.write_text("")
            self._release()

    def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
        except ValueError:
            return None
        return found

    def _release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
