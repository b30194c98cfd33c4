"""The watcher asks the table only when that may have changed, and misses no change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.common.errors import NoSuchJob
from services.common.jobs import Job, JobStatus, now
from services.common.ports import Changes
from services.gateway.watcher import JobWatcher, Until

SEEN = ("queued", "detector")
CLAIMED = ("running", "detector")
DONE = ("succeeded", None)


class Table:
    """As much of a JobStore as the watcher asks; with `telling` it says whether it has changed."""

    def __init__(self, *, telling: bool) -> None:
        self.rows: dict[str, tuple[str, str | None]] = {"a": SEEN, "b": SEEN}
        self.asked: list[str] = []
        self._telling = telling
        self._changed = True

    def changes(self) -> Changes | None:
        return self if self._telling else None

    def any(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    def close(self) -> None:
        pass

    def versions(self, job_ids: list[str]) -> dict[str, tuple[str, str | None]]:
        self.asked.append(" ".join(job_ids))
        return {job_id: self.rows[job_id] for job_id in job_ids if job_id in self.rows}

    def get(self, job_id: str) -> Job:
        self.asked.append(job_id)
        if job_id not in self.rows:
            raise NoSuchJob(job_id)
        status, stage = self.rows[job_id]
        return Job(job_id, "detection", JobStatus(status), stage, {}, now())

    def change(self, job_id: str, version: tuple[str, str | None] = DONE) -> None:
        self.rows[job_id] = version
        self._changed = True


@pytest.fixture
def telling() -> Table:
    return Table(telling=True)


@pytest.fixture
def asked() -> Table:
    return Table(telling=False)


def watching(table: Table, what: Callable[[JobWatcher], Awaitable[None]]) -> None:
    async def run() -> None:
        watcher = JobWatcher(table)  # type: ignore[arg-type]
        try:
            await what(watcher)
        finally:
            await watcher.close()

    asyncio.run(run())


def test_nothing_changes_and_the_table_is_left_alone(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        assert not await watcher.changed("a", SEEN, 0.5)

    watching(telling, scene)
    assert len(telling.asked) <= 2, "once for who has come, and once for what may have changed before"


def test_each_change_ends_the_wait_it_is_for(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waits = {job: asyncio.ensure_future(watcher.changed(job, SEEN, 20)) for job in "ab"}
        await asyncio.sleep(0.1)
        before = len(telling.asked)
        telling.change("a")
        async with asyncio.timeout(5):
            assert await waits["a"]
        await asyncio.sleep(0.2)
        assert not waits["b"].done() and telling.asked[before:] == ["a b", "a"]
        telling.change("b")
        async with asyncio.timeout(5):
            assert await waits["b"]

    watching(telling, scene)


def test_a_change_between_reading_the_job_and_waiting_for_it_is_not_missed(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        telling.change("a")
        waiting = asyncio.ensure_future(watcher.changed("b", SEEN, 20))
        await asyncio.sleep(0.1)  # somebody else has seen the table as it is now
        async with asyncio.timeout(5):
            assert await watcher.changed("a", SEEN, 20)
        waiting.cancel()

    watching(telling, scene)


def test_who_comes_all_the_time_keeps_nobody_from_being_told(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20))
        telling.change("a")
        others = []
        async with asyncio.timeout(5):
            while not waiting.done():
                others.append(asyncio.ensure_future(watcher.changed("b", SEEN, 20)))
                await asyncio.sleep(0.001)
        for other in others:
            other.cancel()

    watching(telling, scene)


@pytest.mark.parametrize("version", [DONE, ("failed", None), ("cancelled", None), None])
def test_who_waits_for_the_end_is_told_of_nothing_else(telling: Table, version: tuple[str, str | None] | None) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20, until=Until.END))
        telling.change("a", CLAIMED)
        telling.change("a", ("running", "verifier"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        if version is None:
            del telling.rows["a"]
            telling.change("b")
            with pytest.raises(NoSuchJob):
                await waiting
            return
        telling.change("a", version)
        async with asyncio.timeout(5):
            job = await waiting
        assert job is not None and (job.status, job.stage) == version

    watching(telling, scene)


def test_two_who_wait_for_one_job_in_two_ways(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        end = asyncio.ensure_future(watcher.changed("a", SEEN, 20, until=Until.END))
        change = asyncio.ensure_future(watcher.changed("a", SEEN, 20))
        await asyncio.sleep(0.05)
        telling.change("a", CLAIMED)
        async with asyncio.timeout(5):
            claimed = await change
        assert claimed is not None and claimed.status == "running"
        telling.change("a")
        async with asyncio.timeout(5):
            ended = await end
        assert ended is not None and ended.status == "succeeded"

    watching(telling, scene)


def test_a_database_that_does_not_answer_is_asked_again(telling: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20))
        with monkeypatch.context() as away:
            away.setattr(telling, "get", lambda _: 1 / 0)
            telling.change("a")
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            assert await waiting

    watching(telling, scene)


def test_a_table_that_tells_nothing_is_asked_again_and_again(asked: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20))
        await asyncio.sleep(0.3)
        assert len(asked.asked) >= 2
        asked.change("a")
        assert await waiting

    watching(asked, scene)


def test_a_job_that_is_old_already_is_not_asked_for_all_the_time(asked: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20, age_s=60))
        await asyncio.sleep(0.15)
        assert not asked.asked, "a new job would have been looked at several times"
        asked.change("a")
        assert await waiting

    watching(asked, scene)


def test_a_table_that_changes_all_the_time_is_not_asked_all_the_time(telling: Table) -> None:
    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, 20, age_s=5.0))
        for _ in range(100):
            telling.change("b", CLAIMED)
            await asyncio.sleep(0.005)
        assert 1 <= len(telling.asked) <= 4, "every 0.25 s for a job 5 s old"
        telling.change("a")
        assert await waiting

    watching(telling, scene)
