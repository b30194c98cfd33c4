"""JobWatcher: one look at the database for everybody who waits for a job to change, or to end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.common.errors import NoSuchJob
from services.common.jobs import TERMINAL, Job
from services.common.ports import JobStore

log = logging.getLogger(__name__)

Version = tuple[str, str | None]

FASTEST_S: Final = 0.01
SLOWEST_S: Final = 0.25  # also with a bell, which may lose a stroke
AGE_SHARE: Final = 0.1  # a job accepted 1 s ago is looked at every 0.1 s: at most a tenth is added to its time
# Where a bell says that there is something to see.
RUNG_FASTEST_S: Final = 0.001
RUNG_AGE_SHARE: Final = 0.02
ALARM_ROUNDING_S: Final = 0.001  # an event loop may wake so much too soon
CROWD: Final = 8  # more waiters than this slow each other down, so that the queries a second stay bounded


class Until(StrEnum):
    """What a wait is for: another status or stage, or the end of the job."""

    CHANGE = "change"
    END = "end"


@dataclass(eq=False, slots=True)
class _Waiter:
    job_id: str
    seen: Version
    until: Until
    since: float
    due: float
    changed: asyncio.Future[Job | None]

    def satisfied_by(self, version: Version) -> bool:
        return version[0] in TERMINAL if self.until is Until.END else version != self.seen


class JobWatcher:
    """Asks the database for all waited-for jobs in one query, off the event loop; a waiter costs no thread. Where the
    database has a bell, it asks when that has rung, and can do so at once.

    Its methods are called on the event loop alone.
    """

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._waiters: set[_Waiter] = set()
        self._wake = asyncio.Event()
        self._closed = False
        self._bell = jobs.bell()
        self._strokes = 0
        self._looked_at_stroke = 0
        self._looked_at = time.monotonic()
        self._fastest_s, self._age_share = (RUNG_FASTEST_S, RUNG_AGE_SHARE) if self._bell else (FASTEST_S, AGE_SHARE)
        if self._bell is not None:
            asyncio.get_running_loop().add_reader(self._bell.fileno(), self._rung)
        self._task = asyncio.create_task(self._poll())

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    @property
    def strokes(self) -> int:
        """How often the table's bell was heard; taken before a job is read, it says how old that is."""
        return self._strokes

    async def changed(
        self,
        job_id: str,
        seen: Version,
        strokes: int,
        timeout_s: float,
        *,
        age_s: float = 0.0,
        until: Until = Until.CHANGE,
    ) -> Job | None:
        """The job once its (status, stage) is another than `seen`, or terminal; None at the timeout. Raises NoSuchJob
        when it is deleted.

        `strokes` was taken before `seen` was read. The older the job, which is `age_s` now, the later a change may be
        noticed: where many jobs wait, each is old, and they are not looked at all the time.
        """
        if self._closed:
            return None
        now = time.monotonic()
        changed: asyncio.Future[Job | None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(job_id, seen, until, now - age_s, now + self._interval_s(age_s), changed)
        if not self._waiters:
            self._looked_at = now  # the caller has just read the job: nothing to look at before the bell rings
        self._waiters.add(waiter)
        self._looked_at_stroke = min(self._looked_at_stroke, strokes)  # what others saw since, this one has not
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter.changed
        except TimeoutError:
            return None
        finally:
            self._waiters.discard(waiter)

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
        if self._bell is not None:
            asyncio.get_running_loop().remove_reader(self._bell.fileno())
            self._bell.close()
            self._bell = None

    def _rung(self) -> None:
        if self._bell is not None:
            self._bell.hush()
        self._strokes += 1
        if self._waiters:
            self._wake.set()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            pause_s = self._pause_s()
            if pause_s is not None and pause_s < ALARM_ROUNDING_S:
                await self._look()
                continue
            alarm = None if pause_s is None else loop.call_later(pause_s, self._wake.set)
            await self._wake.wait()
            if alarm is not None:
                alarm.cancel()

    def _pause_s(self) -> float | None:
        """Until the next look; None when nobody waits. A new waiter, or a stroke, wakes the poller to ask again."""
        if not self._waiters:
            return None
        due = min(waiter.due for waiter in self._waiters)
        if self._bell is not None and self._looked_at_stroke == self._strokes:
            due = max(due, self._looked_at + SLOWEST_S)
        return max(due - time.monotonic(), 0.0)

    def _interval_s(self, age_s: float) -> float:
        interval_s = max(age_s * self._age_share, self._fastest_s) * max(len(self._waiters) / CROWD, 1.0)
        return min(interval_s, SLOWEST_S)

    async def _look(self) -> None:
        """Asks about everybody, whoever is due: the query costs the same, and waiters fall into step."""
        waiters = list(self._waiters)
        self._looked_at_stroke, self._looked_at = self._strokes, time.monotonic()
        try:
            found = await asyncio.to_thread(self._changed_jobs, waiters)
        except Exception as error:  # whatever it is, the next look may work, and the waiters have their timeouts
            log.warning("waiting jobs could not be looked at: %s", error)
            self._looked_at_stroke = -1
            for waiter in waiters:
                waiter.due = time.monotonic() + SLOWEST_S
            return
        now = time.monotonic()
        for waiter in waiters:
            if waiter not in found:
                waiter.due = now + self._interval_s(now - waiter.since)
                continue
            self._waiters.discard(waiter)
            if waiter.changed.done():
                continue
            job = found[waiter]
            if job is None:
                waiter.changed.set_exception(NoSuchJob(f"no job {waiter.job_id}"))
            else:
                waiter.changed.set_result(job)

    def _changed_jobs(self, waiters: list[_Waiter]) -> dict[_Waiter, Job | None]:
        """What those get who need not wait on; None for a job that is gone. Blocks."""
        ids = sorted({waiter.job_id for waiter in waiters})
        versions: Mapping[str, Version] = self._jobs.versions(ids) if len(ids) > 1 else {}
        jobs: dict[str, Job | None] = {}
        found: dict[_Waiter, Job | None] = {}
        for waiter in waiters:
            version = versions.get(waiter.job_id)
            if version is not None and not waiter.satisfied_by(version):
                continue
            if waiter.job_id not in jobs:
                jobs[waiter.job_id] = self._job(waiter.job_id)
            job = jobs[waiter.job_id]
            if job is None or waiter.satisfied_by((job.status, job.stage)):
                found[waiter] = job
        return found

    def _job(self, job_id: str) -> Job | None:
        try:
            return self._jobs.get(job_id)
        except NoSuchJob:
            return None
