"""The watcher asks the table only when its stamp says that something changed, and misses no change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.gateway.watcher import JobWatcher

SEEN = ("queued", "detector")
DONE = ("succeeded", None)


class Table:
    """As much of a JobStore as the watcher asks; each change moves the stamp, where there is one."""

    def __init__(self, *, stamped: bool) -> None:
        self.rows = {"a": SEEN, "b": SEEN}
        self.looks = 0
        self._stamp = 1 if stamped else None

    def stamp(self) -> int | None:
        return self._stamp

    def versions(self, job_ids: list[str]) -> dict[str, tuple[str, str | None]]:
        self.looks += 1
        return {job_id: self.rows[job_id] for job_id in job_ids}

    def change(self, job_id: str, version: tuple[str, str | None] = DONE) -> None:
        self.rows[job_id] = version
        if self._stamp is not None:
            self._stamp += 1


def watching(table: Table, what: Callable[[JobWatcher], Awaitable[None]]) -> None:
    async def run() -> None:
        watcher = JobWatcher(table)  # type: ignore[arg-type]
        try:
            await what(watcher)
        finally:
            await watcher.close()

    asyncio.run(run())


def test_nothing_changes_and_the_table_is_left_alone() -> None:
    table = Table(stamped=True)

    async def scene(watcher: JobWatcher) -> None:
        assert not await watcher.changed("a", SEEN, watcher.stamp(), 0.3)

    watching(table, scene)
    assert table.looks == 0


def test_each_change_is_looked_at_once_and_ends_the_wait_it_is_for() -> None:
    table = Table(stamped=True)

    async def scene(watcher: JobWatcher) -> None:
        stamp = watcher.stamp()
        waits = {job: asyncio.ensure_future(watcher.changed(job, SEEN, stamp, 20)) for job in "ab"}
        await asyncio.sleep(0.1)
        table.change("a")
        assert await waits["a"]
        await asyncio.sleep(0.2)
        assert not waits["b"].done() and table.looks == 1
        table.change("b")
        assert await waits["b"]

    watching(table, scene)
    assert table.looks == 2


def test_a_change_between_reading_the_job_and_waiting_for_it_is_not_missed() -> None:
    table = Table(stamped=True)

    async def scene(watcher: JobWatcher) -> None:
        stamp = watcher.stamp()
        table.change("a")
        waiting = asyncio.ensure_future(watcher.changed("b", SEEN, watcher.stamp(), 20))
        await asyncio.sleep(0.1)  # somebody else has seen the table as it is now
        assert await watcher.changed("a", SEEN, stamp, 20)
        assert await watcher.changed("a", SEEN, None, 20), "a stamp that is not known says nothing"
        waiting.cancel()

    watching(table, scene)


def test_without_a_stamp_the_table_is_asked_again_and_again() -> None:
    table = Table(stamped=False)

    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.stamp(), 20))
        await asyncio.sleep(0.3)
        assert table.looks >= 2
        table.change("a")
        assert await waiting

    watching(table, scene)


def test_a_job_that_is_old_already_is_not_asked_for_all_the_time() -> None:
    table = Table(stamped=False)

    async def scene(watcher: JobWatcher) -> None:
        waiting = asyncio.ensure_future(watcher.changed("a", SEEN, watcher.stamp(), 20, age_s=60))
        await asyncio.sleep(0.15)
        assert table.looks == 0, "a new job would have been looked at several times"
        table.change("a")
        assert await waiting

    watching(table, scene)
