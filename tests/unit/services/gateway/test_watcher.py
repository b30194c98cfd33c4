"""The watcher asks the table only when its bell has rung, and misses no change, not even one that did not ring it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.common.adapters.folder_bell import FolderBell, ring
from services.common.errors import NoSuchJob
from services.common.jobs import Job, JobStatus, now
from services.common.ports import Bell
from services.gateway import watcher as watcher_module
from services.gateway.watcher import JobWatcher, Until

SEEN = ("queued", "detector")
CLAIMED = ("running", "detector")
DONE = ("succeeded", None)


class Table:
    """As much of a JobStore as the watcher asks; each change rings the bell, where there is one."""

    def __init__(self, folder: Path | None) -> None:
        self.rows: dict[str, tuple[str, str | None]] = {"a": SEEN, "b": SEEN}
        self.asked: list[str] = []
        self._folder = folder

    def bell(self) -> Bell | None:
        return None if self._folder is None else FolderBell(self._folder)

    def versions(self, job_ids: list[str]) -> dict[str, tuple[str, str | None]]:
        self.asked.append(" ".join(job_ids))
        return {job_id: self.rows[job_id] for job_id in job_ids if job_id in self.rows}

    def get(self, job_id: str) -> Job:
        self.asked.append(job_id)
        if job_id not in self.rows:
            raise NoSuchJob(job_id)
        status, stage = self.rows[job_id]
        return Job(job_id, "detection", JobStatus(status), stage, {}, now())

    def change(self, job_id: str, version: tuple[str, str | None] = DONE, *, heard: bool = True) -> None:
        self.rows[job_id] = version
        if self._folder is not None and heard:
            ring(self._folder)


@pytest.fixture
def rung(tmp_path: Path) -> Table:
    return Table(tmp_path)


@pytest.fixture
def asked() -> Table:
    return Table(None)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the bell makes the watcher look within the time of a test."""
    monkeypatch.setattr(watcher_module, "SLOWEST_S", 30.0)


def watching(table: Table, what: Callable[[JobWatcher], Awaitable[None]]) -> None:
    async def run() -> None:
        watcher = JobWatcher(table)  # type: ignore[arg-type]
        try:
            await what(watcher)
        finally:
            await watcher.close()

    asyncio.run(run())


@pytest.mark.usefixtures("patient")
def test_nothing_changes_and_the_table_is_left_alone(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        assert not await watcher.changed("a", SEEN, watcher.strokes, 0.3)

    watching(rung, scene)
    assert rung.asked == []


def test_who_comes_after_a_quiet_time_has_seen_the_job_and_makes_nobody_look(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        await asyncio.sleep(watcher_module.SLOWEST_S + 0.1)
        assert not await watcher.changed("a", SEEN, watcher.strokes, 0.1)

    watching(rung, scene)
    assert rung.asked == []


@pytest.mark.usefixtures("patient")
def test_each_change_is_looked_at_once_and_ends_the_wait_it_is_for(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waits = {job: asyncio.ensure_future(watcher.changed(job, SEEN, watcher.strokes, 20)) for job in "ab"}
        await asyncio.sleep(0.1)
        rung.change("a")
        async with asyncio.timeout(5):
            assert await waits["a"]
        await asyncio.sleep(0.2)
        assert not waits["b"].done() and rung.asked == ["a b", "a"]
        rung.change("b")
        async with asyncio.timeout(5):
            assert await waits["b"]

    watching(rung, scene)
    assert rung.asked == ["a b", "a", "b"]


@pytest.mark.usefixtures("patient")
def test_a_change_between_reading_the_job_and_waiting_for_it_is_not_missed(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        strokes = watcher.strokes
        rung.change("a")
        waiting = asyncio.ensure_future(watcher.changed("b", SEEN, watcher.strokes, 20))
        await asyncio.sleep(0.1)  # somebody else has seen the table as it is now
        async with asyncio.timeout(5):
            assert await watcher.changed("a", SEEN, strokes, 20)
        waiting.cancel()

    watching(rung, scene)


def test_a_change_whose_stroke_is_lost_is_noticed_all_the_same(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20))
        await asyncio.sleep(0.05)
        rung.change("a", heard=False)
        async with asyncio.timeout(5):
            assert await waiting

    watching(rung, scene)


@pytest.mark.parametrize("version", [DONE, ("failed", None), ("cancelled", None), None])
def test_who_waits_for_the_end_is_told_of_nothing_else(rung: Table, version: tuple[str, str | None] | None) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20, until=Until.END))
        rung.change("a", CLAIMED)
        rung.change("a", ("running", "verifier"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        if version is None:
            del rung.rows["a"]
            rung.change("b")
            with pytest.raises(NoSuchJob):
                await waiting
            return
        rung.change("a", version)
        async with asyncio.timeout(5):
            job = await waiting
        assert job is not None and (job.status, job.stage) == version

    watching(rung, scene)


def test_two_who_wait_for_one_job_in_two_ways(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        end = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20, until=Until.END))
        change = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20))
        await asyncio.sleep(0.05)
        rung.change("a", CLAIMED)
        async with asyncio.timeout(5):
            claimed = await change
        assert claimed is not None and claimed.status == "running"
        rung.change("a")
        async with asyncio.timeout(5):
            ended = await end
        assert ended is not None and ended.status == "succeeded"

    watching(rung, scene)


def test_a_database_that_does_not_answer_is_asked_again(rung: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20))
        with monkeypatch.context() as away:
            away.setattr(rung, "get", lambda _: 1 / 0)
            rung.change("a")
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            assert await waiting

    watching(rung, scene)


def test_without_a_bell_the_table_is_asked_again_and_again(asked: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20))
        await asyncio.sleep(0.3)
        assert len(asked.asked) >= 2
        asked.change("a")
        assert await waiting

    watching(asked, scene)


def test_a_job_that_is_old_already_is_not_asked_for_all_the_time(asked: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20, age_s=60))
        await asyncio.sleep(0.15)
        assert not asked.asked, "a new job would have been looked at several times"
        asked.change("a")
        assert await waiting

    watching(asked, scene)


@pytest.mark.usefixtures("patient")
def test_a_table_that_rings_all_the_time_is_not_asked_all_the_time(rung: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.strokes, 20, age_s=5.0))
        for _ in range(100):
            rung.change("b", CLAIMED)
            await asyncio.sleep(0.005)
        assert 1 <= len(rung.asked) <= 8, "every 0.1 s for a job 5 s old"
        rung.change("a")
        assert await waiting

    watching(rung, scene)
