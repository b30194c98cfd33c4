"""No query slows down as jobs pile up: SQLite, which says how it will run each one, never walks or sorts the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.jobs import JobStatus, new_job_id, now
from services.gateway.migrate import migrate
from tests.contract.job_moves import new_job

ERROR = {"code": "worker_lost", "detail": ""}
KEYED = new_job(owner="ada", idempotency_key="k", payload_sha256="1")
CALLS: dict[str, Callable[[SqlJobStore], Any]] = {
    "insert": lambda jobs: jobs.insert(KEYED, max_active=10),
    "newest page": lambda jobs: jobs.page(limit=10),
    "page": lambda jobs: jobs.page(limit=10, before_id=new_job_id()),
    "page of a kind": lambda jobs: jobs.page(limit=10, before_id=new_job_id(), kind="detection"),
    "page of a status": lambda jobs: jobs.page(limit=10, before_id=new_job_id(), status=JobStatus.FAILED),
    "page of those that wait": lambda jobs: jobs.page(limit=10, before_id=new_job_id(), status=JobStatus.QUEUED),
    "page of both": lambda jobs: jobs.page(limit=10, kind="verification", status=JobStatus.FAILED),
    "page of an owner": lambda jobs: jobs.page(limit=10, before_id=new_job_id(), owner="ada"),
    "page of an owner and a kind": lambda jobs: jobs.page(limit=10, owner="ada", kind="detection"),
    "page of an owner and a status": lambda jobs: jobs.page(limit=10, owner="ada", status=JobStatus.FAILED),
    "page of all three": lambda jobs: jobs.page(limit=10, owner="ada", kind="verification", status=JobStatus.FAILED),
    "claim": lambda jobs: jobs.claim(new_job_id(), "detector", "w", 30),
    "isolate": lambda jobs: jobs.isolate(new_job_id(), "w", 30),
    "ready": lambda jobs: jobs.ready("detector", limit=4),
    "renew": lambda jobs: jobs.renew(new_job_id(), "w", 30),
    "release": lambda jobs: jobs.release(new_job_id(), "w", delay_s=1, max_attempts=3, error=ERROR),
    "sweep": lambda jobs: jobs.sweep(hint_after_s=1, max_alone=2, error=ERROR),
    "counts": lambda jobs: jobs.counts(),
    "deleted": lambda jobs: jobs.deleted(limit=10),
    "expired": lambda jobs: jobs.expired(finished_before=now(), limit=10),
    "existing": lambda jobs: jobs.existing([new_job_id(), new_job_id()]),
    "versions": lambda jobs: jobs.versions([new_job_id(), new_job_id()]),
}


def plans(path: Path, call: Callable[[SqlJobStore], Any]) -> list[str]:
    """SQLite's plan of every statement on jobs that the call runs."""
    database = Database(f"sqlite:///{path}")
    found: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_others: Any) -> None:
        if "jobs" in statement and not statement.startswith("INSERT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[3] for row in cursor.fetchall())

    sa.event.listen(database.engine, "before_cursor_execute", explain)
    call(SqlJobStore(database))
    database.close()
    return found


@pytest.mark.parametrize("name", CALLS)
def test_a_query_follows_an_index(tmp_path: Path, name: str) -> None:
    migrate(f"sqlite:///{tmp_path / 'facekit.db'}")
    found = plans(tmp_path / "facekit.db", CALLS[name])
    assert found
    walks = [step for step in found if step.startswith("SCAN jobs")]
    if name == "newest page":
        assert walks == ["SCAN jobs USING INDEX sqlite_autoindex_jobs_1"], "by id, to the limit"
    else:
        # The index of unfinished jobs is small: it may be walked, and what it yields sorted.
        assert all("jobs_unfinished" in step for step in walks), found
    if name not in ("sweep", "counts"):
        assert not any("TEMP B-TREE" in step for step in found), found


@pytest.mark.parametrize(
    ("name", "filtered"),
    [
        ("page of both", "kind=? AND outcome=?"),
        ("page of an owner", "owner=? AND id<?"),
        ("page of an owner and a kind", "owner=? AND kind=?"),
        ("page of an owner and a status", "owner=? AND outcome=?"),
        ("page of all three", "owner=? AND kind=? AND outcome=?"),
    ],
)
def test_a_page_reads_no_job_that_its_filters_refuse(tmp_path: Path, name: str, filtered: str) -> None:
    migrate(f"sqlite:///{tmp_path / 'facekit.db'}")
    (step,) = plans(tmp_path / "facekit.db", CALLS[name])
    assert step.endswith(f"({filtered})"), step


def test_totals_count_an_index(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'facekit.db'}")
    found = plans(tmp_path / "facekit.db", lambda jobs: jobs.totals())
    # Not called covering, because a computed column is in it; yet no row is read, the index holds what is asked.
    indexes = ["jobs_kind_outcome_id", "jobs_deleted_at", "jobs_unfinished"]
    assert all(f"INDEX {index}" in step for step, index in zip(found, indexes, strict=True)), found
