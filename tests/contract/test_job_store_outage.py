"""A database that goes away or fills up: callers hear it in facekit's words, and nothing has to be started again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.errors import StorageFull, Unavailable
from services.gateway.migrate import migrate
from tests.contract.job_moves import new_job


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    path = tmp_path / "facekit.db"
    migrate(f"sqlite:///{path}")
    return path


def test_connections_cut_by_the_server_are_replaced(postgres_jobs_url: str, postgres_url: str) -> None:
    store = SqlJobStore(Database(postgres_jobs_url))
    job, _ = store.insert(new_job(), max_active=1000)
    server = Database(postgres_url)
    with server.writing() as connection:
        name = sa.make_url(postgres_jobs_url).database
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(cut), {"name": name})
    assert store.get(job.id) == job
    assert store.claim(job.id, "detector", "w", 30) is not None
    store.mark_deleted(job.id)
    store.purge(job.id)
    server.close()
    store.close()


def test_a_locked_database_is_unavailable(sqlite_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.adapters.sql_database._WAIT_S", 0.2)
    store = SqlJobStore(Database(f"sqlite:///{sqlite_path}"))
    other = sqlite3.connect(sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        store.insert(new_job(), max_active=1)
    assert store.page(limit=1) == [], "reading goes on beside a writer"
    other.execute("ROLLBACK")
    other.close()
    store.insert(new_job(), max_active=1)
    store.close()


def test_a_full_database_is_storage_full_and_half_a_job_is_none(sqlite_path: Path) -> None:
    database = Database(f"sqlite:///{sqlite_path}")
    store = SqlJobStore(database)

    def limit_pages(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite takes the smallest it can: what there is

    sa.event.listen(database.engine, "connect", limit_pages)
    large = new_job(options={"filler": "x" * 200_000})
    before = store.counts()
    with pytest.raises(StorageFull):
        store.insert(large, max_active=10)
    assert store.counts() == before
    store.close()


def test_what_is_not_json_is_never_stored(open_jobs: Callable[[], SqlJobStore]) -> None:
    jobs = open_jobs()
    job, _ = jobs.insert(new_job(), max_active=1)
    jobs.claim(job.id, "detector", "w", 30)
    with pytest.raises((ValueError, sa.exc.StatementError)):
        jobs.finish_stage(job.id, "w", next_stage=None, result={"score": float("nan")}, timings_ms={}, models={})
    assert jobs.get(job.id).finished_at is None
