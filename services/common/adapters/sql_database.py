"""Database: an engine for PostgreSQL or SQLite whose transactions and errors behave alike."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc

from services.common.adapters.disk import sync_content, sync_folder
from services.common.adapters.sql_tables import UtcDateTime
from services.common.adapters.sqlite_changes import SqliteChanges
from services.common.errors import StorageFull, Unavailable
from services.common.jobs import now
from services.common.ports import Changes

_WAIT_S: Final = 10
_READ: Final = "facekit_read"
_SQLITE_FULL: Final = 13
_POSTGRES_FULL: Final = "53100"
_POSTGRES_NO_TABLE: Final = "42P01"


class Database:
    """Transactions on one database. Errors of the driver come out as Unavailable or StorageFull.

    On SQLite a writing transaction takes the write lock at its start (BEGIN IMMEDIATE), so that it can wait for it
    but never fail half way. Every commit survives the death of any process. Those asked to be durable, what users
    were promised, survive a power cut too; the others may then be lost, and the work they recorded is done again.
    The disk is waited for after the lock is given back, so that no other writer waits with it.
    """

    def __init__(self, url: str) -> None:
        """Raises Unavailable for a URL of another kind of database. Does not connect."""
        parsed = sa.make_url(url)
        self.kind = parsed.get_backend_name()
        self._file: Path | None = None  # of SQLite
        if self.kind == "postgresql":
            self.engine = _postgresql(parsed)
        elif self.kind == "sqlite":
            self._file = _file(parsed)
            self.engine = _sqlite(parsed)
        else:
            raise Unavailable(f"database {self.kind!r} is not supported: use postgresql:// or sqlite:///")

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sa.Connection]:
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection
        if durable and self._file is not None:
            sync_log(self._file)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with _translated(), self.engine.connect().execution_options(**{_READ: True}) as connection:
            yield connection

    def after(self, seconds: float = 0.0) -> sa.ColumnElement[datetime]:
        """The time so many seconds from now: by the server's clock where several hosts share one."""
        if self.kind == "postgresql":
            return sa.func.now() + sa.literal(timedelta(seconds=seconds), sa.Interval)
        return sa.literal(now() + timedelta(seconds=seconds), UtcDateTime)

    def changes(self, stage: str | None) -> Changes | None:
        """See JobStore.changes."""
        return None if self._file is None else SqliteChanges(self._file, stage)

    def close(self) -> None:
        self.engine.dispose()


def sync_log(database: Path) -> None:
    """Returns when all that was committed to a SQLite database is on the disk. Raises Unavailable.

    With `synchronous=NORMAL` SQLite syncs its log (`<database>-wal`) only before it moves commits from there into the
    database, and the database after that. A commit survives a power cut once the log was synced after it.
    """
    try:
        log = os.open(f"{database}-wal", os.O_RDONLY)
    except FileNotFoundError:  # moved whole into the database, which is synced then
        return
    except OSError as error:
        raise Unavailable(f"the database's log cannot be opened: {error.strerror}") from error
    try:
        sync_content(log)
        sync_folder(str(database.parent))  # the log may be a new one; takes next to no time where it is not
    except OSError as error:
        raise Unavailable(f"the database's log did not reach the disk: {error.strerror}") from error
    finally:
        os.close(log)


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg2"),
        json_serializer=_to_json,
        # A connection the server has dropped is found and replaced before it is used.
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=24,
        pool_timeout=_WAIT_S,
        connect_args={
            "connect_timeout": 3,
            "application_name": "facekit",
            "tcp_user_timeout": _WAIT_S * 1000,
            "options": f"-c statement_timeout={_WAIT_S}s -c lock_timeout={_WAIT_S}s -c timezone=UTC",
        },
    )


def _file(url: sa.URL) -> Path | None:
    """Of a SQLite database, its folder made where it is missing; None of one in memory. Raises Unavailable."""
    if not url.database or url.database == ":memory:":
        return None
    file = Path(url.database)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"the database folder {file.parent} cannot be made: {error.strerror}") from error
    return file


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        json_serializer=_to_json,
        connect_args={"timeout": _WAIT_S},
        pool_size=8,
        max_overflow=24,
        pool_timeout=_WAIT_S,
        pool_use_lifo=True,  # the connection used last has its pages and statements at hand
    )
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by `_begin_sqlite`, never by the driver's guess.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")  # `sync_log` does the rest


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get(_READ) else "BEGIN IMMEDIATE")


_to_json = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        if _is_full(error.orig):
            raise StorageFull("the database has no space left") from error
        if getattr(error.orig, "pgcode", None) == _POSTGRES_NO_TABLE or "no such table" in str(error.orig):
            raise Unavailable("the database has no tables yet: run python -m services.gateway.migrate") from error
        if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError):
            raise Unavailable(f"the database does not answer: {_first_line(error.orig)}") from error
        raise
    except exc.TimeoutError as error:
        raise Unavailable("every database connection of this process is in use") from error


def _is_full(error: Any) -> bool:
    return getattr(error, "pgcode", None) == _POSTGRES_FULL or getattr(error, "sqlite_errorcode", None) == _SQLITE_FULL


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
