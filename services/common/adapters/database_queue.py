"""DatabaseQueue: no broker at all; workers look at the jobs table when it has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from services.common.adapters.handler_threads import HandlerThreads
from services.common.adapters.stop_signals import stopped_by_signals
from services.common.errors import FacekitError
from services.common.ports import Changes, JobStore

log = logging.getLogger(__name__)

# For changes: more often within a second after a job, since another may follow. Each costs a tenth of a millisecond.
_BUSY_EVERY_S: Final = 0.01
_IDLE_EVERY_S: Final = 0.02
_BUSY_S: Final = 1.0
_ASK_EVERY_S: Final = 0.1  # the table, where nothing tells of changes
_ASK_ANYWAY_S: Final = 0.25  # a job may become ready by the clock alone
_TROUBLE_S: Final = 1.0
# A job that was handed out and not claimed is not handed out again sooner.
_NOT_AGAIN_S: Final = 0.5


class DatabaseQueue:
    """A JobQueue whose hints are the rows of the table: none is lost and none has to be sent."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._asked = threading.Event()
        self._stop = threading.Event()
        self._handed: dict[str, float] = {}
        self._handed_at = 0.0

    def publish(self, stage: str, job_id: str) -> None:
        """A job is found in the table; the question whether this process consumes is put to its own loop."""
        if not job_id:
            self._asked.set()

    def consume(self, stage: str, handle: Callable[[str], None], *, concurrency: int) -> None:
        """Also ends after `close`. While the database is away it waits for it."""
        with ExitStack() as opened:
            opened.enter_context(stopped_by_signals(self._stop.set))
            changes = self._jobs.changes(stage)
            if changes is not None:
                opened.callback(changes.close)
            threads = opened.enter_context(HandlerThreads(handle, concurrency))
            while not self._stop.is_set():
                if self._asked.is_set():
                    self._asked.clear()
                    threads.run("")
                    continue
                job_id = self._next(stage, concurrency)
                if job_id is None:
                    self._wait(changes)
                else:
                    threads.run(job_id)  # returns when another thread is free

    def _next(self, stage: str, concurrency: int) -> str | None:
        """The job that has waited longest, of those not just handed out."""
        try:
            ready = self._jobs.ready(stage, limit=2 * concurrency)
        except FacekitError as error:
            log.warning("waiting jobs could not be looked at: %s", error.detail)
            self._stop.wait(_TROUBLE_S)
            return None
        now = time.monotonic()
        self._handed = {job_id: at for job_id, at in self._handed.items() if now - at < _NOT_AGAIN_S}
        for job_id in ready:
            if job_id not in self._handed:
                self._handed[job_id] = self._handed_at = now
                return job_id
        return None

    def _wait(self, changes: Changes | None) -> None:
        """Until there may be something to hand out, or to answer."""
        now = time.monotonic()
        over = now + (_ASK_EVERY_S if changes is None else _ASK_ANYWAY_S)
        every_s = _BUSY_EVERY_S if now - self._handed_at < _BUSY_S else _IDLE_EVERY_S
        while time.monotonic() < over and not self._asked.is_set() and not self._stop.is_set():
            time.sleep(every_s)
            if changes is not None and changes.any():
                return

    def ping(self) -> None:
        self._jobs.ping()

    def close(self) -> None:
        self._stop.set()
