"""What every JobQueue promises: jobs reach one handler of their stage, on as many threads as asked, and no busy worker
keeps one from an idle one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import Submit

TIMEOUT_S = 30.0


class Consumer:
    """`tests.contract.consumer` in a process of its own, and what it has handled so far."""

    def __init__(self, url: str, stage: str, path: Path, *, concurrency: int = 1, seconds: float = 0.0) -> None:
        self._path = path
        path.touch()
        arguments = [url, stage, str(concurrency), str(seconds), str(path)]
        self.process = subprocess.Popen([sys.executable, "-m", "tests.contract.consumer", *arguments])

    @property
    def lines(self) -> list[str]:
        return self._path.read_text().split()

    @property
    def done(self) -> list[str]:
        return [line[:-1] for line in self.lines if line.endswith("!")]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


Start = Callable[..., Consumer]


@pytest.fixture
def start(queue_url: str, stage: str, tmp_path: Path) -> Iterator[Start]:
    """Starts consumers of the test's queue; they end with the test."""
    with ExitStack() as running:
        started = 0

        def start_one(stage: str = stage, **options: Any) -> Consumer:
            nonlocal started
            started += 1
            consumer = Consumer(queue_url, stage, tmp_path / f"handled-{started}", **options)
            running.callback(consumer.process.wait)
            running.callback(consumer.process.kill)
            return consumer

        yield start_one


def wait_for(what: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)


def test_every_hint_is_handled_once_and_by_its_stage_alone(submit: Submit, stage: str, start: Start) -> None:
    hints = [f"{stage}-{number}" for number in range(100)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda hint: submit(stage, hint), hints[:60]))
    submit(f"{stage}-other", f"{stage}-not-for-this-stage")
    consumer = start(concurrency=2)
    wait_for(lambda: len(consumer.done) >= 60)
    for hint in hints[60:]:
        submit(stage, hint)
    wait_for(lambda: len(consumer.done) >= 100)
    assert consumer.stop() == 0
    assert Counter(consumer.done) == Counter(hints)


def test_handlers_run_beside_each_other(submit: Submit, stage: str, start: Start) -> None:
    consumer = start(concurrency=3, seconds=0.5)
    for number in range(4):
        submit(stage, f"{stage}-{number}")
    wait_for(lambda: len(consumer.done) == 4)
    first_done = next(index for index, line in enumerate(consumer.lines) if line.endswith("!"))
    assert first_done == 3, "three were started before one was done, and no more"
    assert consumer.stop() == 0


def test_a_busy_worker_keeps_no_hint_from_an_idle_one(submit: Submit, stage: str, start: Start) -> None:
    busy = start(concurrency=1, seconds=20)
    submit(stage, f"{stage}-long")
    wait_for(lambda: f"{stage}-long" in busy.lines)
    idle = start(concurrency=1)
    for number in range(10):
        submit(stage, f"{stage}-{number}")
    wait_for(lambda: len(idle.done) == 10, 15)
    assert busy.lines == [f"{stage}-long"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_it_holds(
    submit: Submit, stage: str, start: Start, number: signal.Signals
) -> None:
    stopping = start(concurrency=2, seconds=1)
    for job in range(4):
        submit(stage, f"{stage}-{job}")
    wait_for(lambda: len(stopping.lines) == 2)
    started = time.monotonic()
    assert stopping.stop(number) == 0
    assert time.monotonic() - started < 5
    assert len(stopping.lines) == 2 * len(stopping.done)
    next_one = start(concurrency=2)
    wait_for(lambda: sorted(stopping.done + next_one.done) == [f"{stage}-{job}" for job in range(4)])


def test_a_killed_worker_leaves_the_rest_to_the_next(submit: Submit, stage: str, start: Start) -> None:
    killed = start(concurrency=2, seconds=20)
    for job in range(6):
        submit(stage, f"{stage}-{job}")
    wait_for(lambda: len(killed.lines) == 2)
    assert killed.stop(signal.SIGKILL) == -signal.SIGKILL
    next_one = start()
    wait_for(lambda: len(next_one.done) == 4)
    assert set(killed.lines) | set(next_one.done) == {f"{stage}-{job}" for job in range(6)}


def test_publishing_to_nobody_is_fine(submit: Submit, stage: str) -> None:
    submit(stage, f"{stage}-1")


def test_an_idle_consumer_costs_next_to_nothing(submit: Submit, stage: str, start: Start) -> None:
    consumer = start()
    submit(stage, f"{stage}-awake")
    wait_for(lambda: consumer.done == [f"{stage}-awake"])

    def cpu_s() -> float:
        fields = Path(f"/proc/{consumer.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = cpu_s()
    time.sleep(2)
    assert (cpu_s() - before) / 2 < 0.1
