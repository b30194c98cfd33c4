"""JobWatcher: one poller for everybody who waits for a job to change."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from services.common.ports import JobStore

log = logging.getLogger(__name__)

Version = tuple[str, str | None]

FASTEST_S: Final = 0.01
SLOWEST_S: Final = 0.25
AGE_SHARE: Final = 0.1  # a job accepted 1 s ago is looked at every 0.1 s: at most a tenth is added to its time
# Where a stamp says for next to nothing that there is nothing to see.
STAMPED_FASTEST_S: Final = 0.002
STAMPED_AGE_SHARE: Final = 0.02
ALARM_ROUNDING_S: Final = 0.001  # an event loop may wake so much too soon
CROWD: Final = 8  # more waiters than this slow each other down, so that the queries a second stay bounded


@dataclass(eq=False, slots=True)
class _Waiter:
    job_id: str
    seen: Version
    since: float
    due: float
    stamp: int | None
    changed: asyncio.Future[None]


class JobWatcher:
    """Asks the database for all waited-for jobs in one query, off the event loop; a waiter costs no thread. Where the
    database has a stamp, it asks only when something has changed, and can so look more often.

    Its methods are called on the event loop alone.
    """

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._waiters: set[_Waiter] = set()
        self._wake = asyncio.Event()
        self._closed = False
        self._stamped = jobs.stamp() is not None
        self._fastest_s, self._age_share = (
            (STAMPED_FASTEST_S, STAMPED_AGE_SHARE) if self._stamped else (FASTEST_S, AGE_SHARE)
        )
        self._task = asyncio.create_task(self._poll())

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    def stamp(self) -> int | None:
        """The table's stamp right now, where it has one; taken before a job is read, it says how old that is."""
        return self._jobs.stamp() if self._stamped else None

    async def changed(
        self, job_id: str, seen: Version, stamp: int | None, timeout_s: float, *, age_s: float = 0.0
    ) -> bool:
        """Waits until the job's (status, stage) is another than `seen`, or the job is gone; False at the timeout.

        `stamp` was taken before `seen` was read; None when that is not known. The older the job, which is `age_s` now,
        the later a change may be noticed: where many jobs wait, each is old, and they are not looked at all the time.
        """
        if self._closed:
            return False
        now = time.monotonic()
        changed = asyncio.get_running_loop().create_future()
        waiter = _Waiter(job_id, seen, now - age_s, now + self._interval_s(age_s), stamp, changed)
        self._waiters.add(waiter)
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                await waiter.changed
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    def release(self) -> None:
        """Lets everybody go with what there is: the gateway stops."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.changed.done():
                waiter.changed.set_result(None)

    async def close(self) -> None:
        self.release()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            pause_s = self._pause_s()
            alarm = None if pause_s is None else loop.call_later(pause_s, self._wake.set)
            await self._wake.wait()
            if alarm is not None:
                alarm.cancel()
            pause_s = self._pause_s()
            if pause_s is not None and pause_s < ALARM_ROUNDING_S:
                await self._look()

    def _pause_s(self) -> float | None:
        """Until somebody is due; None when nobody waits. A new waiter wakes the poller to ask again."""
        if not self._waiters:
            return None
        return max(min(waiter.due for waiter in self._waiters) - time.monotonic(), 0.0)

    def _interval_s(self, age_s: float) -> float:
        interval_s = max(age_s * self._age_share, self._fastest_s) * max(len(self._waiters) / CROWD, 1.0)
        return min(interval_s, SLOWEST_S)

    async def _look(self) -> None:
        """Asks about everybody, whoever is due: the query costs the same, and waiters fall into step."""
        waiters = list(self._waiters)
        stamp = self.stamp()
        if stamp is not None and all(waiter.stamp == stamp for waiter in waiters):
            self._postpone(waiters)
            return
        try:
            versions = await asyncio.to_thread(self._jobs.versions, sorted({waiter.job_id for waiter in waiters}))
        except Exception as error:  # whatever it is, the next look may work, and the waiters have their timeouts
            log.warning("waiting jobs could not be looked at: %s", error)
            for waiter in waiters:
                waiter.due = time.monotonic() + SLOWEST_S
            return
        for waiter in waiters:
            if versions.get(waiter.job_id) == waiter.seen:
                waiter.stamp = stamp
                continue
            self._waiters.discard(waiter)
            if not waiter.changed.done():
                waiter.changed.set_result(None)
        self._postpone(waiters)

    def _postpone(self, waiters: list[_Waiter]) -> None:
        now = time.monotonic()
        for waiter in waiters:
            waiter.due = now + self._interval_s(now - waiter.since)
