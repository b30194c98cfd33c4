"""JobWatcher: one look at the database for everybody who waits for a job to change, or to end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.common.errors import NoSuchJob
from services.common.jobs import TERMINAL, Job
from services.common.ports import JobStore

log = logging.getLogger(__name__)

Version = tuple[str, str | None]

FASTEST_S: Final = 0.005
SLOWEST_S: Final = 0.25
AGE_SHARE: Final = 0.05  # a job accepted 1 s ago is looked at every 0.05 s: at most a twentieth is added to its time
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
    changed: asyncio.Future[Job | None]

    def satisfied_by(self, version: Version) -> bool:
        return version[0] in TERMINAL if self.until is Until.END else version != self.seen


class JobWatcher:
    """Asks the database for all waited-for jobs in one query, off the event loop; a waiter costs no thread. Where the
    database tells that nothing has changed, it is not asked.

    Its methods are called on the event loop alone.
    """

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._waiters: set[_Waiter] = set()
        self._wake = asyncio.Event()
        self._closed = False
        self._changes = jobs.changes()
        self._unseen = False  # somebody came who may have missed a change
        self._checked_at = time.monotonic()
        self._task = asyncio.create_task(self._poll())

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    async def changed(
        self, job_id: str, seen: Version, timeout_s: float, *, age_s: float = 0.0, until: Until = Until.CHANGE
    ) -> Job | None:
        """The job once its (status, stage) is another than `seen`, or terminal; None at the timeout. Raises NoSuchJob
        when it is deleted.

        The older the job, which is `age_s` now, the later a change may be noticed: where many jobs wait, each is old,
        and they are not looked at all the time.
        """
        if self._closed:
            return None
        changed: asyncio.Future[Job | None] = asyncio.get_running_loop().create_future()
        now = time.monotonic()
        waiter = _Waiter(job_id, seen, until, now - age_s, changed)
        if not self._waiters:
            self._checked_at = now  # the caller has just read the job
        self._waiters.add(waiter)
        self._unseen = True
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
        if self._changes is not None:
            self._changes.close()

    async def _poll(self) -> None:
        while True:
            self._wake.clear()
            pause_s = self._pause_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()  # somebody came, whose job may be younger
                    continue
            self._checked_at = time.monotonic()
            if self._unseen or self._changes is None or self._changes.any():
                await self._look()

    def _pause_s(self) -> float | None:
        """Until the next look; None while nobody waits. Short where somebody waits for a young job, longer where many
        wait."""
        if not self._waiters:
            return None
        age_s = time.monotonic() - max(waiter.since for waiter in self._waiters)
        interval_s = max(age_s * AGE_SHARE, FASTEST_S) * max(len(self._waiters) / CROWD, 1.0)
        return max(self._checked_at + min(interval_s, SLOWEST_S) - time.monotonic(), 0.0)

    async def _look(self) -> None:
        """Asks about everybody: the query costs the same."""
        waiters = list(self._waiters)
        self._unseen = False
        try:
            found = await asyncio.to_thread(self._changed_jobs, waiters)
        except Exception as error:  # whatever it is, the next look may work, and the waiters have their timeouts
            log.warning("waiting jobs could not be looked at: %s", error)
            self._unseen = True
            await asyncio.sleep(SLOWEST_S)
            return
        for waiter, job in found.items():
            self._waiters.discard(waiter)
            if waiter.changed.done():
                continue
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
