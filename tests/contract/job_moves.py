"""Jobs for tests, and the moves tests make with them, in one line each; the worker is `w`."""

from __future__ import annotations

from typing import Any

from services.common.adapters.sql_jobs import SqlJobStore
from services.common.jobs import Job, JobStatus, new_job_id, now

LOST = {"code": "worker_lost", "detail": "gone"}
BROKEN = {"code": "unavailable", "detail": "later"}
ENDINGS = ["succeeded", "failed", "cancelled"]
STATES = ["queued", "running", "between stages", *ENDINGS]


def new_job(**changes: Any) -> Job:
    """A queued detection with attributes: two stages, detector then analyzer."""
    values: dict[str, Any] = {
        "id": new_job_id(),
        "kind": "detection",
        "status": JobStatus.QUEUED,
        "stage": "detector",
        "options": {"analyze": ["age"]},
        "created_at": now(),
    }
    return Job(**(values | changes))


def insert(jobs: SqlJobStore, **changes: object) -> Job:
    return jobs.insert(new_job(**changes), max_active=1000)[0]


def finish(jobs: SqlJobStore, job_id: str, worker: str = "w", next_stage: str | None = None) -> bool:
    return jobs.finish_stage(job_id, worker, next_stage=next_stage, result={}, timings_ms={}, models={})


def fail(jobs: SqlJobStore, job_id: str, worker: str = "w") -> bool:
    return jobs.fail(job_id, worker, {"code": "image_corrupt", "detail": "cut short"}, {})


def release(jobs: SqlJobStore, job_id: str, *, delay_s: float = 0.0, max_attempts: int = 3) -> bool:
    return jobs.release(job_id, "w", delay_s=delay_s, max_attempts=max_attempts, error=BROKEN)


def in_state(jobs: SqlJobStore, state: str) -> Job:
    """A job in that state; a running one is leased to `w`."""
    job = insert(jobs, owner=state)
    if state == "cancelled":
        jobs.cancel(job.id)
    elif state != "queued":
        jobs.claim(job.id, "detector", "w", 30)
        if state == "between stages":
            finish(jobs, job.id, next_stage="analyzer")
        elif state == "succeeded":
            finish(jobs, job.id)
        elif state == "failed":
            fail(jobs, job.id)
    return jobs.get(job.id)
