"""The database as the queue: what a broker would do is found in the table, and the loop answers for itself."""

from __future__ import annotations

import itertools
import queue as queues
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.common.adapters.database_queue import DatabaseQueue
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.errors import Unavailable
from tests.contract.job_moves import finish, insert, new_job, release


class Loop:
    """A consuming loop on a thread of this process, and what it has handed out."""

    def __init__(self, jobs: Any) -> None:
        self.queue = DatabaseQueue(jobs)
        self.handed: queues.Queue[str] = queues.Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.queue.consume("detector", self.handed.put, concurrency=2)

    def stop(self) -> None:
        self.queue.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def loop(jobs: SqlJobStore) -> Iterator[Loop]:
    running = Loop(jobs)
    yield running
    running.stop()


def test_a_job_is_handed_out_soon_after_its_commit(loop: Loop, open_jobs: Callable[[], SqlJobStore]) -> None:
    gateway = open_jobs()
    time.sleep(0.3)
    job = insert(gateway)
    submitted = time.monotonic()
    assert loop.handed.get(timeout=5) == job.id
    assert time.monotonic() - submitted < 0.2


def test_a_released_job_comes_when_its_delay_is_over_with_no_sweeper(loop: Loop, jobs: SqlJobStore) -> None:
    job = insert(jobs)
    assert loop.handed.get(timeout=5) == job.id
    assert jobs.claim(job.id, "detector", "w", 30)
    assert release(jobs, job.id, delay_s=1.0)
    with pytest.raises(queues.Empty):
        loop.handed.get(timeout=0.8)
    assert loop.handed.get(timeout=5) == job.id


def test_a_job_nobody_claimed_is_handed_out_again_but_not_at_once(loop: Loop, jobs: SqlJobStore) -> None:
    job = insert(jobs)
    time.sleep(1.3)
    assert 2 <= loop.handed.qsize() <= 4
    assert {loop.handed.get() for _ in range(loop.handed.qsize())} == {job.id}


def test_the_next_stage_needs_no_message(loop: Loop, jobs: SqlJobStore) -> None:
    job = jobs.insert(new_job(stage="first"), max_active=10)[0]
    jobs.claim(job.id, "first", "w", 30)
    assert loop.handed.empty()
    finish(jobs, job.id, next_stage="detector")
    assert loop.handed.get(timeout=5) == job.id


def test_the_loop_answers_whether_it_consumes(loop: Loop) -> None:
    loop.queue.publish("detector", "")
    assert loop.handed.get(timeout=5) == ""


def test_a_loop_that_hangs_answers_nothing(jobs: SqlJobStore) -> None:
    """All its threads are in a handler: the question is not answered by whoever put it."""
    busy, answers = threading.Event(), queues.Queue[str]()
    queue = DatabaseQueue(jobs)

    def handle(job_id: str) -> None:
        answers.put(job_id)
        busy.wait(10)

    thread = threading.Thread(target=lambda: queue.consume("detector", handle, concurrency=1))
    thread.start()
    job = insert(jobs)
    assert answers.get(timeout=5) == job.id
    queue.publish("detector", "")
    with pytest.raises(queues.Empty):
        answers.get(timeout=0.5)
    busy.set()
    assert answers.get(timeout=5) == ""
    queue.close()
    thread.join(10)


def test_a_database_that_comes_back_is_looked_at_again(jobs: SqlJobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.adapters.database_queue._TROUBLE_S", 0.05)
    away = threading.Event()
    ready = jobs.ready

    def unsteady(stage: str, *, limit: int) -> list[str]:
        if not away.is_set():
            raise Unavailable("the database is away")
        return ready(stage, limit=limit)

    monkeypatch.setattr(jobs, "ready", unsteady)
    loop = Loop(jobs)
    try:
        job = insert(jobs)
        loop.queue.publish("detector", "")
        with pytest.raises(queues.Empty):
            loop.handed.get(timeout=0.5)  # it lives, but it does not consume
        away.set()
        assert [loop.handed.get(timeout=5), loop.handed.get(timeout=5)] == [job.id, ""]
    finally:
        loop.stop()


def test_who_asks_is_told_that_the_database_is_away(jobs: SqlJobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(jobs, "ping", away)
    with pytest.raises(Unavailable):
        DatabaseQueue(jobs).publish("detector", "")


def test_who_waits_longest_comes_first(jobs: SqlJobStore) -> None:
    ids = [insert(jobs).id for _ in range(20)]
    loop = Loop(jobs)
    try:
        assert [loop.handed.get(timeout=5) for _ in ids] == ids
    finally:
        loop.stop()


def test_workers_of_a_stage_do_not_fight_over_its_jobs(jobs: SqlJobStore, open_jobs: Callable[[], SqlJobStore]) -> None:
    won: list[str] = []
    lost: list[str] = []

    def worker(name: str) -> tuple[DatabaseQueue, threading.Thread]:
        own, claims = open_jobs(), itertools.count()
        queue = DatabaseQueue(own)

        def handle(job_id: str) -> None:
            owner = f"{name}/{next(claims)}"
            if own.claim(job_id, "detector", owner, 30) is None:
                lost.append(job_id)
                return
            won.append(job_id)
            time.sleep(0.01)
            finish(own, job_id, owner)

        thread = threading.Thread(target=lambda: queue.consume("detector", handle, concurrency=2))
        thread.start()
        return queue, thread

    workers = [worker(name) for name in "abc"]
    ids = []
    for _ in range(75):
        ids += [insert(jobs).id, insert(jobs).id]
        time.sleep(0.02)
    deadline = time.monotonic() + 20
    while len(won) < len(ids) and time.monotonic() < deadline:
        time.sleep(0.02)
    for queue, thread in workers:
        queue.close()
        thread.join(10)
    assert sorted(won) == sorted(ids), "each once"
    assert len(lost) < len(ids), "claims in vain"
