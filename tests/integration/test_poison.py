"""A photo that kills its worker takes no other job along: real worker processes, started again as `make run` does."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.embedded.child import Child
from services.common.bootstrap import Ports, build
from services.common.jobs import Job, JobStatus, new_job_id, now, object_key, object_prefix
from services.common.settings import Settings
from services.gateway.metrics import GatewayMetrics
from services.gateway.migrate import migrate
from services.gateway.sweeper import Sweeper
from tests.integration.poison_worker import POISON, SLOW
from tests.unit.services.common.tiny_stage import tiny_bundle

SHORT_LEASES = {"lease_s": 1.0, "sweep_interval_s": 0.1, "hint_after_s": 0.5, "concurrency": 4}


class Workers:
    """Worker processes of one home, each started again when it ends, and the gateway's sweeper."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.model_validate({"home": home, **SHORT_LEASES})
        tiny_bundle(home / "bundle", "1", factor=2)
        migrate(self.settings.effective_database_url)
        self.ports: Ports = build(self.settings)
        self.children: dict[str, Child] = {}
        self.deaths = 0
        self._stop = threading.Event()
        sweeper = Sweeper(
            self.ports.store, self.ports.jobs, self.ports.queue, self.settings, GatewayMetrics(self.ports.jobs)
        )
        self._threads = [threading.Thread(target=work) for work in (lambda: sweeper.run(self._stop), self._supervise)]
        for thread in self._threads:
            thread.start()

    def start(self, name: str) -> Child:
        home = self.settings.home
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEKIT_")}
        environment |= {f"FACEKIT_{key.upper()}": str(value) for key, value in SHORT_LEASES.items()}
        environment |= {"FACEKIT_HOME": str(home), "FACEKIT_WORKER_NAME": name}
        child = Child(name, "tests.integration.poison_worker", environment, home, home / f"tmp-{name}")
        child.start()
        self.children[name] = child
        return child

    def submit(self, photo: bytes) -> str:
        job = Job(new_job_id(), "detection", JobStatus.QUEUED, "detector", {}, now())
        self.ports.store.put(object_key(job.id, "original"), photo)
        self.ports.jobs.insert(job, max_active=100)
        self.ports.queue.publish("detector", job.id)
        return job.id

    def ended(self, job_id: str, timeout_s: float = 60) -> Job:
        wait_until(lambda: self.ports.jobs.get(job_id).finished_at is not None, timeout_s)
        return self.ports.jobs.get(job_id)

    def ran_in(self, job_id: str) -> int:
        """How many processes began the job."""
        return sum("/by-" in key for key in self.ports.store.keys(object_prefix(job_id)))

    def _supervise(self) -> None:
        while not self._stop.wait(0.05):
            for child in list(self.children.values()):
                if child.ended() is not None:
                    self.deaths += 1
                    child.wait(0)  # gives its pipe back
                    self._stop.wait(child.restart_delay_s())
                    child.start()

    def can_write(self) -> bool:
        """Whether the database takes a write right now."""
        path = self.settings.effective_database_url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return False
        return True

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for child in self.children.values():
            child.kill()
            child.wait(10)
        self.ports.close()


def wait_until(found: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not found():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    running = Workers(tmp_path)
    yield running
    running.stop()


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_poison_among_twenty_others(workers: Workers, names: list[str]) -> None:
    ids = [workers.submit(POISON if number == 2 else b"a photo") for number in range(21)]
    for name in names:
        workers.start(name)
    poison, *others = [workers.ended(job_id) for job_id in (ids.pop(2), *ids)]
    assert [(job.status, job.attempts) for job in others] == [(JobStatus.SUCCEEDED, 1)] * 20
    assert (poison.status, poison.attempts) == (JobStatus.FAILED, 2)
    assert poison.error == {"code": "worker_lost", "detail": "Its worker died twice while this job was alone in it."}
    assert workers.deaths == 3, "once beside others, twice alone"
    assert sum(workers.ran_in(job.id) > 1 for job in others) >= 1, "nothing ran beside it: the test proves nothing"


def test_a_worker_that_sleeps_beyond_its_lease_gives_no_second_result(workers: Workers) -> None:
    sleeper = workers.start("sleeper")
    job_id = workers.submit(SLOW)
    wait_until(lambda: workers.ran_in(job_id) == 1)
    assert sleeper.pid is not None
    while True:
        os.kill(sleeper.pid, signal.SIGSTOP)
        if workers.can_write():
            break
        os.kill(sleeper.pid, signal.SIGCONT)  # it was stopped within a commit: SQLite would be locked for everybody
        time.sleep(0.02)
    try:
        workers.start("other")
        ended = workers.ended(job_id)
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    wait_until(lambda: "lease was lost" in "".join(sleeper.new_warnings()))
    assert workers.ports.jobs.get(job_id) == ended
    assert (ended.status, ended.attempts) == (JobStatus.SUCCEEDED, 1)
