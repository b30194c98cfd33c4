"""What every JobStore's sweep promises: lost work comes back, lost messages are sent again, nothing is sent in vain."""

from __future__ import annotations

import itertools
import time

import pytest

from services.common.adapters import sql_sweep
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.jobs import JobStatus, now
from services.common.ports import Swept, WorkerRecord
from tests.contract.job_moves import LOST, finish, insert, release


def sweep(jobs: SqlJobStore, hint_after_s: float = 60.0) -> list[tuple[str, str]]:
    return jobs.sweep(hint_after_s=hint_after_s, max_alone=2, error=LOST).hints


def lose(jobs: SqlJobStore, job_id: str, *, alone: bool, stage: str = "detector", max_alone: int = 2) -> Swept:
    """A worker takes the job and dies, with nothing beside it or among others."""
    assert jobs.claim(job_id, stage, "w", 0) is not None
    if alone:
        assert jobs.isolate(job_id, "w", 0)
    return jobs.sweep(hint_after_s=60, max_alone=max_alone, error=LOST)


def test_a_fresh_job_is_not_hinted_again(jobs: SqlJobStore) -> None:
    insert(jobs)
    assert sweep(jobs) == []


def test_an_unheard_hint_is_sent_again_and_then_has_its_time(jobs: SqlJobStore) -> None:
    first, second = insert(jobs), insert(jobs)
    time.sleep(0.25)
    assert sweep(jobs, 0.2) == [(first.id, "detector"), (second.id, "detector")], "oldest first"
    assert sweep(jobs, 60) == []


def test_the_hint_of_the_next_stage_counts_from_its_start(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    time.sleep(0.25)
    jobs.claim(job.id, "detector", "w", 30)
    finish(jobs, job.id, next_stage="analyzer")
    assert sweep(jobs, 0.2) == []
    time.sleep(0.25)
    assert sweep(jobs, 0.2) == [(job.id, "analyzer")]


def test_a_running_job_is_left_alone(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    claimed = jobs.claim(job.id, "detector", "w", 30)
    assert sweep(jobs, 0) == []
    assert jobs.get(job.id) == claimed


def test_a_lost_worker_costs_no_attempt_and_its_job_is_sent_again_at_once_to_run_alone(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    for _ in range(5):  # waiting for its turn to be alone, it may be lost with a worker that another job kills
        swept = lose(jobs, job.id, alone=False)
        assert swept == Swept([(job.id, "detector")], [job.id], [])
        back = jobs.get(job.id)
        assert (back.status, back.attempts, back.suspicion) == (JobStatus.QUEUED, 1, 1)
        assert (back.lease_owner, back.lease_until) == (None, None)
        assert not jobs.renew(job.id, "w", 30) and not finish(jobs, job.id), "the lost worker, were it to come back"
        assert not jobs.isolate(job.id, "w", 30)
    assert jobs.claim(job.id, "detector", "other", 30) is not None


def test_a_worker_lost_at_a_later_stage_starts_that_stage_again(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.claim(job.id, "detector", "w", 30)
    finish(jobs, job.id, next_stage="analyzer")
    jobs.claim(job.id, "analyzer", "w", 0)
    assert sweep(jobs) == [(job.id, "analyzer")]


def test_a_job_that_is_alone_when_its_worker_is_lost_twice_is_quarantined(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    lose(jobs, job.id, alone=False)
    assert lose(jobs, job.id, alone=True) == Swept([(job.id, "detector")], [job.id], [])
    assert (jobs.get(job.id).attempts, jobs.get(job.id).suspicion) == (2, 2)
    lose(jobs, job.id, alone=False)
    assert jobs.get(job.id).attempts == 2, "it only waited for its turn"
    assert lose(jobs, job.id, alone=True) == Swept([], [], [job.id])
    failed = jobs.get(job.id)
    assert (failed.status, failed.attempts, failed.error) == (JobStatus.FAILED, 2, LOST)
    assert failed.finished_at is not None


def test_one_attempt_is_one_worker_lost_alone(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    lose(jobs, job.id, alone=False, max_alone=1)
    assert lose(jobs, job.id, alone=True, max_alone=1).quarantined == [job.id]


def test_the_next_stage_suspects_nobody(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    lose(jobs, job.id, alone=False)
    lose(jobs, job.id, alone=True)
    jobs.claim(job.id, "detector", "w", 30)
    jobs.isolate(job.id, "w", 30)
    finish(jobs, job.id, next_stage="analyzer")
    assert jobs.get(job.id).suspicion == 0
    lose(jobs, job.id, alone=False, stage="analyzer")
    assert (jobs.get(job.id).attempts, jobs.get(job.id).suspicion) == (2, 1), "its lease is not alone any more"


def test_a_job_given_back_by_its_worker_stays_suspected_and_is_not_alone(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    lose(jobs, job.id, alone=False)
    jobs.claim(job.id, "detector", "w", 30)
    jobs.isolate(job.id, "w", 30)
    release(jobs, job.id)
    assert (jobs.get(job.id).attempts, jobs.get(job.id).suspicion) == (2, 1)
    lose(jobs, job.id, alone=False)
    assert (jobs.get(job.id).attempts, jobs.get(job.id).suspicion) == (2, 1)


def test_a_released_job_is_hinted_when_its_delay_is_over(jobs: SqlJobStore) -> None:
    job = insert(jobs)
    jobs.claim(job.id, "detector", "w", 30)
    jobs.release(job.id, "w", delay_s=0.3, max_attempts=3, error=LOST)
    assert sweep(jobs) == []
    time.sleep(0.35)
    assert sweep(jobs) == [(job.id, "detector")]
    assert sweep(jobs) == []


def test_a_long_queue_that_moves_is_not_made_longer(jobs: SqlJobStore) -> None:
    front, *waiting = [insert(jobs) for _ in range(20)]
    time.sleep(1.1)
    jobs.claim(front.id, "detector", "w", 30)
    assert sweep(jobs, 1) == [], "their messages are only late: the first is being worked on"
    jobs.claim(waiting[9].id, "detector", "w", 30)
    overtaken = [(job.id, "detector") for job in waiting[:9]]
    assert sweep(jobs, 1) == overtaken, "their messages are lost: one that came later was delivered"
    finish(jobs, front.id), finish(jobs, waiting[9].id)
    time.sleep(1.1)
    assert len(sweep(jobs, 1)) == 18, "nothing is worked on: all messages are lost"


def test_no_message_is_waited_for_for_ever(jobs: SqlJobStore) -> None:
    front, waiting = insert(jobs), insert(jobs)
    jobs.claim(front.id, "detector", "w", 30)
    time.sleep(0.3)
    assert sweep(jobs, 0.02) == [(waiting.id, "detector")]


def test_a_stage_without_workers_is_not_buried_in_hints(jobs: SqlJobStore) -> None:
    insert(jobs)
    hints = 0
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        hints += len(sweep(jobs, 0.05))
        time.sleep(0.02)
    # Every 0.05 s in the first 0.6 s, every 0.6 s from then on.
    assert 2 <= hints <= 14


def test_a_batch_is_bounded_and_the_rest_comes_next(jobs: SqlJobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_sweep, "_BATCH", 20)
    made = [insert(jobs).id for _ in range(45)]
    for job_id in made:
        jobs.claim(job_id, "detector", "w", 0)
    batches = [[job_id for job_id, _ in sweep(jobs)] for _ in range(4)]
    assert [len(batch) for batch in batches] == [20, 20, 5, 0]
    assert sorted(itertools.chain(*batches)) == made


def test_workers_gone_for_long_are_forgotten(jobs: SqlJobStore) -> None:
    ancient = now().replace(year=2020)
    jobs.beat(WorkerRecord(name="old", stage="detector", models={}, beat_at=ancient))
    sweep(jobs)
    assert jobs.workers(seen_since=ancient) == []
