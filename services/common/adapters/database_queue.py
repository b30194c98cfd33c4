"""DatabaseQueue: no broker at all; workers look at the jobs table when it has changed."""

from __future__ import annotations

import logging
import math
import random
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

_LOOK_EVERY_S: Final = 0.005  # for changes
_IDLE_LOOK_EVERY_S: Final = 0.02  # once no job has come for _IDLE_S
_IDLE_S: Final = 5.0
_UNEVEN: Final = (0.5, 1.5)  # so that the workers of a stage do not all reach for the same job
_ASK_EVERY_S: Final = 0.1  # the table, where nothing tells of changes
_ASK_ANYWAY_S: Final = 0.5  # a job may become ready by the clock alone
_TROUBLE_S: Final = 0.05  # times the looks that failed in a row, up to:
_MOST_TROUBLE_S: Final = 1.0
_TOLD_AFTER: Final = 8  # failed looks in a row, about two seconds
_REST_S: Final = 0.5  # before a job is handed out again that its handler did not claim, as while the disk is full


class DatabaseQueue:
    """A JobQueue whose hints are the rows of the table: none is lost and none has to be sent."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._asked = threading.Event()
        # No Event: a signal's handler would set it, and wait for ever where it interrupts the loop's own wait for it.
        self._stopped = False
        self._resting: dict[str, float] = {}  # jobs handed out here, and until when they are not again
        self._found_at = 0.0
        self._unseen = 0  # times in a row

    def publish(self, stage: str, job_id: str) -> None:
        """A job is found in the table; the question whether this process consumes is put to its own loop."""
        if not job_id:
            self._jobs.ping()  # a database that is away is not the loop's silence
            self._asked.set()

    def consume(self, stage: str, handle: Callable[[str], None], *, concurrency: int) -> None:
        """Also ends after `close`. While the database is away it waits for it."""

        def work(job_id: str) -> None:
            try:
                handle(job_id)
            finally:
                if job_id:
                    self._resting[job_id] = time.monotonic() + _REST_S

        with ExitStack() as opened:
            opened.enter_context(stopped_by_signals(self.close))
            changes = self._jobs.changes(stage)
            if changes is not None:
                opened.callback(changes.close)
            threads = opened.enter_context(HandlerThreads(work, concurrency))
            while not self._stopped:
                try:
                    job_id = self._next(stage)
                except FacekitError as error:
                    self._unseen += 1
                    # Not at once: on a first start a worker may be sooner than whoever makes the tables.
                    if self._unseen % _TOLD_AFTER == 0:
                        log.warning("waiting jobs could not be looked at: %s", error.detail)
                    time.sleep(min(_TROUBLE_S * self._unseen, _MOST_TROUBLE_S))
                    continue
                self._unseen = 0
                if job_id is not None:
                    self._resting[job_id] = math.inf
                    threads.run(job_id)  # returns when another thread is free
                elif self._asked.is_set():  # answered by a loop that sees the table, and by no other
                    self._asked.clear()
                    threads.run("")
                else:
                    self._wait(changes)

    def _next(self, stage: str) -> str | None:
        """The job that has waited longest, of those not just handed out. Raises Unavailable."""
        now = time.monotonic()
        for job_id in [job_id for job_id, until in self._resting.items() if until <= now]:
            del self._resting[job_id]
        for job_id in self._jobs.ready(stage, limit=len(self._resting) + 1):
            if job_id not in self._resting:
                self._found_at = now
                return job_id
        return None

    def _wait(self, changes: Changes | None) -> None:
        """Until there may be something to hand out, or to answer."""
        now = time.monotonic()
        over = now + (_ASK_EVERY_S if changes is None else _ASK_ANYWAY_S)
        look_every_s = _LOOK_EVERY_S if now - self._found_at < _IDLE_S else _IDLE_LOOK_EVERY_S
        while time.monotonic() < over and not self._stopped and not self._asked.is_set():
            time.sleep(look_every_s * random.uniform(*_UNEVEN))
            if changes is not None and changes.any():
                return

    def ping(self) -> None:
        self._jobs.ping()

    def close(self) -> None:
        self._stopped = True
