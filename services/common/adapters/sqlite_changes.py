"""SqliteChanges: SQLite's own word for "another connection has committed", asked in microseconds."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

# Without SQLAlchemy, which takes twenty times as long: whoever waits for a stage asks after every commit of the others.
_WAITS: Final = "SELECT 1 FROM jobs WHERE stage = ? AND finished_at IS NULL AND lease_owner IS NULL LIMIT 1"


class SqliteChanges:
    """A `ports.Changes` of one database file. It belongs to the thread that asks first."""

    def __init__(self, database: Path, stage: str | None) -> None:
        self._url = f"{database.absolute().as_uri()}?mode=rw"  # never makes the file
        self._stage = stage
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def any(self) -> bool:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._url, uri=True, timeout=0, isolation_level=None)
            [(version,)] = self._connection.execute("PRAGMA data_version").fetchall()
            known, self._version = self._version, int(version)
            if known == self._version:
                return False
            return self._stage is None or bool(self._connection.execute(_WAITS, (self._stage,)).fetchall())
        except sqlite3.Error:  # not there yet, or busy: then the table says what there is
            return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
