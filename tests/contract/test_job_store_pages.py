"""Listing jobs: newest first, stable while jobs come and go, every filter, and workers beside them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from services.common.adapters.sql_jobs import SqlJobStore
from services.common.jobs import Job, JobStatus, now
from services.common.ports import WorkerRecord
from tests.contract.job_moves import new_job


def fill(jobs: SqlJobStore) -> list[Job]:
    """24 jobs, oldest first: kinds, owners and endings mixed."""
    made = []
    for number in range(24):
        kind = "verification" if number % 3 == 0 else "detection"
        job, _ = jobs.insert(new_job(kind=kind, owner=("ada", "bob")[number % 2]), max_active=100)
        if number % 4 == 0:
            job = jobs.cancel(job.id)
        made.append(job)
    return made


def walk(jobs: SqlJobStore, limit: int, **filters: Any) -> list[str]:
    ids: list[str] = []
    while page := jobs.page(limit=limit, before_id=ids[-1] if ids else None, **filters):
        ids += [job.id for job in page]
    return ids


def test_pages_are_every_job_once_newest_first(jobs: SqlJobStore) -> None:
    made = fill(jobs)
    for limit in (1, 7, 100):
        assert walk(jobs, limit) == [job.id for job in reversed(made)]


def test_filters_go_together(jobs: SqlJobStore) -> None:
    made = fill(jobs)
    statuses = (None, JobStatus.QUEUED, JobStatus.CANCELLED, JobStatus.FAILED)
    for kind, status, owner in itertools.product(
        (None, "detection", "verification"), statuses, (None, "ada", "nobody")
    ):
        wanted = [
            job.id
            for job in reversed(made)
            if kind in (None, job.kind) and status in (None, job.status) and owner in (None, job.owner)
        ]
        assert walk(jobs, 5, kind=kind, status=status, owner=owner) == wanted


def test_pages_stay_put_while_jobs_come_and_go(jobs: SqlJobStore) -> None:
    made = [job.id for job in fill(jobs)]
    first = [job.id for job in jobs.page(limit=10)]
    jobs.insert(new_job(), max_active=100)
    jobs.mark_deleted(made[3])
    second = [job.id for job in jobs.page(limit=100, before_id=first[-1])]
    assert first + second == [job_id for job_id in reversed(made) if job_id != made[3]]


def test_workers_are_those_seen_lately(jobs: SqlJobStore) -> None:
    models = {"detector": {"name": "yolov8n-face", "version": "1", "metrics": {"ap": 0.9}}}
    start = now()
    record = WorkerRecord(name="detector-1", stage="detector", models=models, beat_at=start)
    jobs.beat(record)
    jobs.beat(WorkerRecord(name="analyzer-1", stage="analyzer", models={}, beat_at=start - timedelta(minutes=5)))
    assert jobs.workers(seen_since=start - timedelta(minutes=1)) == [record]
    later = WorkerRecord(name="detector-1", stage="detector", models={}, beat_at=start + timedelta(seconds=2))
    jobs.beat(later)
    assert jobs.workers(seen_since=start - timedelta(minutes=1)) == [later]
    assert [worker.name for worker in jobs.workers(seen_since=start - timedelta(hours=1))] == [
        "analyzer-1",
        "detector-1",
    ]
