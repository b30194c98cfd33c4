"""What every JobStore promises of one job's life."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.common.adapters.sql_jobs import SqlJobStore
from services.common.errors import IdempotencyConflict, QueueFull
from services.common.jobs import JobStatus, new_job_id, now
from tests.contract.job_moves import BROKEN, ENDINGS, LOST, STATES, fail, finish, in_state, insert, new_job, release


def test_a_job_comes_back_as_it_was_accepted(jobs: SqlJobStore) -> None:
    job = new_job(
        owner="ada", idempotency_key="k", payload_sha256="ab" * 32, options={"analyze": ["é", "年"], "n": 0.25}
    )
    assert jobs.insert(job, max_active=1) == (job, True)
    assert jobs.get(job.id) == job


def test_a_job_through_two_stages(jobs: SqlJobStore) -> None:
    job = insert(jobs, created_at=now() - timedelta(seconds=2))
    claimed = jobs.claim(job.id, "detector", "w1", 30)
    assert claimed is not None
    assert (claimed.status, claimed.lease_owner, claimed.attempts) == (JobStatus.RUNNING, "w1", 1)
    assert claimed.lease_until is not None and claimed.lease_until > now() + timedelta(seconds=25)
    assert jobs.finish_stage(
        job.id,
        "w1",
        next_stage="analyzer",
        result={"faces": [1]},
        timings_ms={"detector": 3.5},
        models={"detector": "a@1"},
    )
    between = jobs.get(job.id)
    assert (between.status, between.stage, between.lease_owner, between.lease_until) == (
        JobStatus.RUNNING,
        "analyzer",
        None,
        None,
    )
    assert between.finished_at is None and between.result == {"faces": [1]}
    assert jobs.claim(job.id, "analyzer", "w2", 30) is not None
    assert jobs.finish_stage(
        job.id, "w2", next_stage=None, result={"faces": [2]}, timings_ms={"analyzer": 1.0}, models={"age": "b@1"}
    )
    done = jobs.get(job.id)
    assert (done.status, done.stage, done.lease_owner) == (JobStatus.SUCCEEDED, None, None)
    assert done.result == {"faces": [2]} and done.models == {"detector": "a@1", "age": "b@1"}
    assert done.started_at is not None and done.finished_at is not None
    assert claimed.started_at == done.started_at <= done.finished_at
    queued_ms = done.timings_ms["queued"]
    assert done.timings_ms == {"queued": queued_ms, "detector": 3.5, "analyzer": 1.0}
    assert 2000 <= queued_ms < 10_000


def test_times_are_utc_whatever_zone_they_came_in(jobs: SqlJobStore) -> None:
    created = datetime(2026, 11, 23, 23, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    job = jobs.get(insert(jobs, created_at=created).id)
    assert job.created_at == created and job.created_at.tzinfo is UTC


@pytest.mark.parametrize("stage", ["analyzer", "verifier", ""])
def test_only_the_current_stage_can_be_claimed(jobs: SqlJobStore, stage: str) -> None:
    job = insert(jobs)
    assert jobs.claim(job.id, stage, "w", 30) is None


def test_nothing_to_claim(jobs: SqlJobStore) -> None:
    assert jobs.claim(new_job_id(), "detector", "w", 30) is None
    job = insert(jobs)
    assert jobs.claim(job.id, "detector", "w", 30) is not None
    assert jobs.claim(job.id, "detector", "w", 30) is None, "a second delivery of the same message"
    assert jobs.claim(job.id, "detector", "other", 30) is None
    assert finish(jobs, job.id)
    assert jobs.claim(job.id, "detector", "w", 30) is None


def test_a_lease_is_renewed_by_its_worker_alone(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    assert not jobs.renew(job.id, "w", 30)
    jobs.claim(job.id, "detector", "w", 1)
    assert not jobs.renew(job.id, "other", 60)
    assert jobs.renew(job.id, "w", 60)
    lease_until = jobs.get(job.id).lease_until
    assert lease_until is not None and lease_until > now() + timedelta(seconds=50)


def test_only_the_lease_holder_writes(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.claim(job.id, "detector", "w", 30)
    before = jobs.get(job.id)
    assert not finish(jobs, job.id, "other")
    assert not fail(jobs, job.id, "other")
    assert not jobs.release(job.id, "other", delay_s=0, max_attempts=1, error=BROKEN)
    assert jobs.get(job.id) == before


def test_failing_says_why_and_when(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.claim(job.id, "detector", "w", 30)
    assert jobs.fail(job.id, "w", {"code": "image_corrupt", "detail": "cut short"}, {"detector": 2.0})
    failed = jobs.get(job.id)
    assert (failed.status, failed.stage, failed.lease_owner) == (JobStatus.FAILED, None, None)
    assert failed.error == {"code": "image_corrupt", "detail": "cut short"}
    assert failed.finished_at is not None and failed.timings_ms["detector"] == 2.0


def test_a_released_stage_is_tried_again_until_it_had_its_attempts(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    for attempt in (1, 2):
        claimed = jobs.claim(job.id, "detector", "w", 30)
        assert claimed is not None and claimed.attempts == attempt
        assert release(jobs, job.id)
        assert jobs.get(job.id).status is JobStatus.QUEUED
    assert jobs.claim(job.id, "detector", "w", 30) is not None
    assert release(jobs, job.id)
    failed = jobs.get(job.id)
    assert (failed.status, failed.attempts, failed.error) == (JobStatus.FAILED, 3, BROKEN)
    assert jobs.claim(job.id, "detector", "w", 30) is None


def test_a_released_stage_waits_for_its_delay(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.claim(job.id, "detector", "w", 30)
    assert release(jobs, job.id, delay_s=60)
    assert jobs.claim(job.id, "detector", "w", 30) is None
    assert jobs.sweep(hint_after_s=0, max_alone=2, error=LOST).hints == []


def test_the_same_key_and_payload_is_the_same_job(jobs: SqlJobStore) -> None:
    first = insert(jobs, owner="ada", idempotency_key="k", payload_sha256="1")
    again, created = jobs.insert(new_job(owner="ada", idempotency_key="k", payload_sha256="1"), max_active=1)
    assert (again, created) == (first, False), "also when the queue is full"
    with pytest.raises(IdempotencyConflict):
        jobs.insert(new_job(owner="ada", idempotency_key="k", payload_sha256="2"), max_active=9)
    other, created = jobs.insert(new_job(owner="bob", idempotency_key="k", payload_sha256="2"), max_active=9)
    assert created and other.id != first.id, "another owner's keys are their own"
    jobs.claim(first.id, "detector", "w", 30)
    finish(jobs, first.id)
    again, created = jobs.insert(new_job(owner="ada", idempotency_key="k", payload_sha256="1"), max_active=9)
    assert not created and again.status is JobStatus.SUCCEEDED


def test_a_deleted_job_frees_its_key(jobs: SqlJobStore) -> None:
    first = insert(jobs, idempotency_key="k", payload_sha256="1")
    jobs.mark_deleted(first.id)
    second, created = jobs.insert(new_job(idempotency_key="k", payload_sha256="2"), max_active=9)
    assert created and second.id != first.id


def test_the_queue_is_full_at_its_limit_and_no_longer_after(jobs: SqlJobStore) -> None:
    first = insert(jobs)
    second = insert(jobs)
    jobs.claim(second.id, "detector", "w", 30)
    with pytest.raises(QueueFull) as full:
        jobs.insert(new_job(), max_active=2)
    assert full.value.retry_after_s
    jobs.cancel(first.id)
    jobs.insert(new_job(), max_active=2)


def test_counts_and_versions(jobs: SqlJobStore) -> None:
    ids = [in_state(jobs, state).id for state in STATES]
    assert jobs.counts() == {("queued", "detector"): 1, ("running", "detector"): 1, ("running", "analyzer"): 1}
    insert(jobs, kind="verification", options={})
    assert jobs.totals() == {
        ("detection", "queued"): 1,
        ("detection", "running"): 2,
        ("detection", "succeeded"): 1,
        ("detection", "failed"): 1,
        ("detection", "cancelled"): 1,
        ("verification", "queued"): 1,
    }
    assert list(jobs.versions([*ids, new_job_id()]).values()) == [
        ("queued", "detector"),
        ("running", "detector"),
        ("running", "analyzer"),
        ("succeeded", None),
        ("failed", None),
        ("cancelled", None),
    ]


def test_changes_tell_of_every_commit_and_not_of_reading(
    jobs: SqlJobStore, open_jobs: Callable[[], SqlJobStore]
) -> None:
    another, changes = open_jobs(), jobs.changes()
    if changes is None:  # PostgreSQL has to be asked
        assert another.changes() is None
        return
    assert changes.any(), "at first nobody knows"
    assert not changes.any()
    job = insert(jobs)
    assert changes.any(), "the store's own change"
    assert not changes.any()
    assert another.claim(job.id, "detector", "w", 30) is not None
    assert finish(another, job.id)
    assert changes.any() and not changes.any(), "another's, however many, at once"
    jobs.get(job.id), another.versions([job.id]), jobs.counts()
    assert not changes.any(), "reading is no change"
    changes.close()


def test_changes_of_a_stage_tell_of_jobs_that_wait_there(jobs: SqlJobStore) -> None:
    changes = jobs.changes("analyzer")
    if changes is None:
        return
    job = insert(jobs)
    assert not changes.any()
    jobs.claim(job.id, "detector", "w", 30)
    finish(jobs, job.id, next_stage="analyzer")
    assert changes.any() and not changes.any()
    jobs.claim(job.id, "analyzer", "w", 30)
    assert not changes.any()
    release(jobs, job.id)
    assert changes.any()
    changes.close()


def test_ready_jobs_are_those_a_worker_may_claim_longest_waiting_first(jobs: SqlJobStore) -> None:
    first, second, leased, later, elsewhere, cancelled = (insert(jobs) for _ in range(6))
    for job in (leased, later, elsewhere):
        jobs.claim(job.id, "detector", "w", 30)
    release(jobs, later.id, delay_s=0.3)
    finish(jobs, elsewhere.id, next_stage="analyzer")
    jobs.cancel(cancelled.id)
    assert jobs.ready("detector", limit=10) == [first.id, second.id]
    assert jobs.ready("detector", limit=1) == [first.id]
    assert jobs.ready("analyzer", limit=10) == [elsewhere.id]
    time.sleep(0.35)
    assert jobs.ready("detector", limit=10) == [first.id, second.id, later.id], "when its delay is over"


def test_jobs_past_their_retention(jobs: SqlJobStore) -> None:
    ended = [in_state(jobs, state).id for state in ENDINGS]
    in_state(jobs, "queued"), in_state(jobs, "running")
    assert jobs.expired(finished_before=now() - timedelta(hours=1), limit=10) == []
    assert jobs.expired(finished_before=now() + timedelta(hours=1), limit=10) == ended
    assert jobs.expired(finished_before=now() + timedelta(hours=1), limit=2) == ended[:2]
