"""Durable commits on SQLite: on the disk when they return, and nobody else waits for the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.common.adapters import sql_database
from services.common.adapters.sql_database import Database
from services.common.errors import Unavailable

URL = "sqlite:///{}/facekit.db"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(URL.format(tmp_path))
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE jobs (id TEXT)"))
    yield database
    database.close()


def insert(database: Database, job_id: str, *, durable: bool) -> None:
    with database.writing(durable=durable) as connection:
        connection.execute(sa.text("INSERT INTO jobs VALUES (:id)"), {"id": job_id})


def ids(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.scalars(sa.text("SELECT id FROM jobs")))


def test_others_write_while_a_durable_commit_waits_for_the_disk(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    other = Database(URL.format(tmp_path))

    def slow_disk(handle: int) -> None:
        assert os.path.samestat(os.fstat(handle), (tmp_path / "facekit.db-wal").stat())
        seen.append(ids(other))
        insert(other, "other", durable=False)

    monkeypatch.setattr(sql_database, "sync_content", slow_disk)
    insert(database, "promised", durable=True)
    other.close()
    assert seen == [["promised"]], "what is synced is a log with the commit in it"
    assert ids(database) == ["other", "promised"]


def test_durable_commits_alone_wait_for_the_log_and_its_name(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(sql_database, "sync_content", lambda _: synced.append("log"))
    monkeypatch.setattr(sql_database, "sync_folder", lambda folder: synced.append(folder))
    insert(database, "1", durable=False)
    assert synced == []
    insert(database, "2", durable=True)
    assert synced == ["log", str(tmp_path)]


def test_a_log_that_was_moved_into_the_database_needs_no_sync(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()  # the last connection moves it
    monkeypatch.setattr(sql_database, "sync_content", lambda _: pytest.fail("there is no log"))
    sql_database.sync_log(tmp_path / "facekit.db")


def test_a_disk_that_fails_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sql_database, "sync_content", fails)
    with pytest.raises(Unavailable, match="Input/output error"):
        insert(database, "1", durable=True)
