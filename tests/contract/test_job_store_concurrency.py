"""Many at once: one winner for each claim, one job for each key, one end for each job."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from services.common.adapters.sql_jobs import SqlJobStore
from services.common.errors import FacekitError, NotCancellable, QueueFull
from services.common.flows.registry import flow_of
from services.common.jobs import JobStatus
from tests.contract.job_moves import new_job

LOST = {"code": "worker_lost", "detail": "gone"}
Answer = TypeVar("Answer")
OpenJobs = Callable[[], SqlJobStore]


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """All calls started together on threads of their own."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(start, calls))


def test_one_of_many_claims_wins(open_jobs: OpenJobs) -> None:
    stores = [open_jobs() for _ in range(4)]
    for _ in range(5):
        job, _created = stores[0].insert(new_job(), max_active=100)

        def claim(number: int, job_id: str = job.id) -> bool:
            return stores[number % 4].claim(job_id, "detector", f"w{number}", 30) is not None

        won = at_once([partial(claim, number) for number in range(16)])
        assert won.count(True) == 1
        assert stores[0].get(job.id).lease_owner == f"w{won.index(True)}"


def test_one_job_for_one_key(open_jobs: OpenJobs) -> None:
    stores = [open_jobs() for _ in range(4)]

    def insert(number: int) -> tuple[str, bool]:
        job, created = stores[number % 4].insert(
            new_job(owner="ada", idempotency_key="k", payload_sha256="1"), max_active=100
        )
        return job.id, created

    answers = at_once([partial(insert, number) for number in range(16)])
    assert len({job_id for job_id, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1


def test_the_limit_holds_for_submissions_at_once(open_jobs: OpenJobs) -> None:
    stores = [open_jobs() for _ in range(4)]

    def insert(number: int) -> bool:
        try:
            return stores[number % 4].insert(new_job(), max_active=10)[1]
        except QueueFull:
            return False

    accepted = at_once([partial(insert, number) for number in range(24)])
    assert accepted.count(True) == 10
    assert sum(stores[0].counts().values()) == 10


def test_two_sweeps_at_once_do_the_work_once(open_jobs: OpenJobs) -> None:
    stores = [open_jobs() for _ in range(4)]
    made = [stores[0].insert(new_job(), max_active=1000)[0].id for _ in range(60)]
    for job_id in made:
        stores[0].claim(job_id, "detector", "w", 0)
    swept = at_once([partial(store.sweep, hint_after_s=60, max_alone=2, error=LOST) for store in stores])
    hinted = Counter(job_id for found in swept for job_id, _ in found.hints)
    # One that skipped a row another sweep held finds it at its next turn.
    hinted.update(job_id for job_id, _ in stores[0].sweep(hint_after_s=60, max_alone=2, error=LOST).hints)
    assert hinted == Counter(made)
    assert {(job.attempts, job.suspicion) for job in map(stores[0].get, made)} == {(1, 1)}


@pytest.mark.parametrize("rival", ["cancel", "mark_deleted"])
def test_a_job_ends_once_when_its_end_is_contested(open_jobs: OpenJobs, rival: str) -> None:
    stores = [open_jobs() for _ in range(2)]
    for _ in range(10):
        job, _created = stores[0].insert(new_job(options={}), max_active=1000)
        stores[0].claim(job.id, "detector", "w", 30)

        def finish(job_id: str = job.id) -> bool:
            return stores[0].finish_stage(job_id, "w", next_stage=None, result={}, timings_ms={}, models={})

        def end(job_id: str = job.id) -> bool:
            try:
                getattr(stores[1], rival)(job_id)
            except NotCancellable:
                return False
            return True

        finished, ended = at_once([finish, end])
        if rival == "cancel":
            assert finished != ended
            assert stores[0].get(job.id).status is (JobStatus.SUCCEEDED if finished else JobStatus.CANCELLED)
        else:
            assert ended and stores[0].existing([job.id]) == {job.id}


def test_200_jobs_and_workers_that_die_at_random(open_jobs: OpenJobs) -> None:
    """Every job ends once: its stages were finished in order, each once, by the one worker that held the lease."""
    gateway = open_jobs()
    jobs = [
        gateway.insert(new_job(options={"analyze": ["age"]} if n % 2 else {}), max_active=1000)[0] for n in range(200)
    ]
    hints: list[tuple[str, str]] = [(job.id, "detector") for job in jobs]
    finished: Counter[tuple[str, str]] = Counter()
    failed: Counter[str] = Counter()
    lock, over = threading.Lock(), threading.Event()

    def work(seed: int) -> None:
        chance, store = random.Random(seed), open_jobs()
        life = 0
        while not over.is_set():
            with lock:
                hint = hints.pop(chance.randrange(len(hints))) if hints else None
                if hint and chance.random() < 0.1:
                    hints.append(hint)  # delivered twice
            if hint is None:
                time.sleep(0.005)
                continue
            job_id, stage = hint
            me = f"{seed}.{life}"
            job = store.claim(job_id, stage, me, 0.3)
            if job is None or (job.suspicion and not store.isolate(job_id, me, 0.3)):
                continue
            fate = chance.random()
            if fate < 0.1:
                life += 1  # killed: the lease is left to run out
                continue
            if fate < 0.15:
                store.release(job_id, me, delay_s=0.01, max_attempts=8, error=LOST)
                continue
            if fate < 0.2:
                if store.fail(job_id, me, {"code": "image_corrupt", "detail": ""}, {}):
                    failed[job_id] += 1
                continue
            flow = flow_of(job)
            next_stage = None if stage == flow[-1] else flow[flow.index(stage) + 1]
            ok = store.finish_stage(
                job_id, me, next_stage=next_stage, result={"by": me}, timings_ms={stage: 1.0}, models={stage: me}
            )
            with lock:
                if ok:
                    finished[job_id, stage] += 1
                if ok and next_stage and chance.random() > 0.1:  # else its message is lost
                    hints.append((job_id, next_stage))

    with ThreadPoolExecutor(4) as threads:
        workers = [threads.submit(work, seed) for seed in range(4)]
        deadline = time.monotonic() + 40
        while gateway.counts() and time.monotonic() < deadline and not any(worker.done() for worker in workers):
            again = gateway.sweep(hint_after_s=0.3, max_alone=8, error=LOST).hints
            with lock:
                hints.extend(again)
            time.sleep(0.05)
        over.set()
        for worker in workers:
            worker.result()
    assert gateway.counts() == {}
    for job in jobs:
        end = gateway.get(job.id)
        done = [stage for stage in flow_of(job) if finished[job.id, stage]]
        assert all(count == 1 for (job_id, _), count in finished.items() if job_id == job.id)
        if end.status is JobStatus.SUCCEEDED:
            assert tuple(done) == flow_of(end) and failed[job.id] == 0
            assert end.result is not None and end.result["by"] == end.models[done[-1]]
        else:
            assert end.status is JobStatus.FAILED and end.error is not None
            assert failed[job.id] == (end.error["code"] == "image_corrupt")
        assert end.finished_at is not None and end.stage is None and end.lease_owner is None


def test_a_busy_database_answers_everyone(open_jobs: OpenJobs) -> None:
    stores = [open_jobs() for _ in range(8)]
    errors: list[FacekitError] = []

    def submit(store: SqlJobStore) -> None:
        try:
            for _ in range(10):
                job, _created = store.insert(new_job(), max_active=1000)
                store.claim(job.id, "detector", "w", 30)
                store.get(job.id)
                store.cancel(job.id)
        except FacekitError as error:
            errors.append(error)

    at_once([partial(submit, store) for store in stores])
    assert errors == [] and stores[0].counts() == {}
