"""However a job ends, it ends once, for everybody: cancelled, deleted, failed or done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.common.adapters.sql_jobs import SqlJobStore
from services.common.errors import NoSuchJob, NotCancellable
from services.common.jobs import JobStatus, new_job_id, now
from tests.contract.job_moves import ENDINGS, LOST, STATES, fail, finish, in_state, insert, release


@pytest.mark.parametrize("state", ["queued", "running", "between stages"])
def test_cancelling_ends_a_job_and_voids_its_lease(jobs: SqlJobStore, state: str) -> None:
    job = in_state(jobs, state)
    cancelled = jobs.cancel(job.id)
    assert cancelled == jobs.get(job.id)
    assert (cancelled.status, cancelled.stage, cancelled.lease_owner) == (JobStatus.CANCELLED, None, None)
    assert cancelled.finished_at is not None
    assert not jobs.renew(job.id, "w", 30) and not finish(jobs, job.id) and not fail(jobs, job.id)
    assert not release(jobs, job.id)
    assert jobs.claim(job.id, "detector", "w", 30) is None and jobs.claim(job.id, "analyzer", "w", 30) is None
    assert jobs.get(job.id) == cancelled


@pytest.mark.parametrize("state", ENDINGS)
def test_what_has_ended_stays_as_it_ended(jobs: SqlJobStore, state: str) -> None:
    job = in_state(jobs, state)
    with pytest.raises(NotCancellable):
        jobs.cancel(job.id)
    assert not jobs.renew(job.id, "w", 30) and not finish(jobs, job.id) and not fail(jobs, job.id)
    assert not release(jobs, job.id)
    assert jobs.claim(job.id, "detector", "w", 30) is None
    assert jobs.sweep(hint_after_s=0, max_alone=1, error=LOST).hints == []
    assert jobs.get(job.id) == job


@pytest.mark.parametrize("state", STATES)
def test_a_deleted_job_is_gone_at_once_and_its_row_later(jobs: SqlJobStore, state: str) -> None:
    job = in_state(jobs, state)
    jobs.mark_deleted(job.id)
    for call in (jobs.get, jobs.cancel, jobs.mark_deleted):
        with pytest.raises(NoSuchJob):
            call(job.id)
    assert not jobs.renew(job.id, "w", 30) and not finish(jobs, job.id) and not fail(jobs, job.id)
    assert not release(jobs, job.id)
    assert jobs.claim(job.id, "detector", "w", 30) is None and jobs.claim(job.id, "analyzer", "w", 30) is None
    assert jobs.sweep(hint_after_s=0, max_alone=2, error=LOST).hints == []
    assert jobs.page(limit=10) == [] and jobs.counts() == {} and jobs.totals() == {}
    assert jobs.expired(finished_before=now() + timedelta(days=1), limit=10) == []
    assert jobs.versions([job.id]) == {}
    assert jobs.deleted(limit=10) == [job.id] and jobs.existing([job.id]) == {job.id}
    jobs.purge(job.id)
    jobs.purge(job.id)
    assert jobs.deleted(limit=10) == [] and jobs.existing([job.id]) == set()


def test_only_a_deleted_job_is_purged(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.purge(job.id)
    assert jobs.get(job.id) == job


def test_no_such_job(jobs: SqlJobStore) -> None:
    for call in (jobs.get, jobs.cancel, jobs.mark_deleted):
        with pytest.raises(NoSuchJob):
            call(new_job_id())
