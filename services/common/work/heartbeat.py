"""Proof that a worker consumes: only taking a message off the queue makes its heart beat."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from services.common.errors import FacekitError
from services.common.jobs import now
from services.common.ports import JobQueue, JobStore, WorkerRecord
from services.common.settings import Settings
from services.common.work.leases import Leases

log = logging.getLogger(__name__)

BEAT_EVERY_S = 2.0
# Ticks keep no step: among replicas that all tick every two seconds, and ask Redis anew every one, the worker that took
# one empty hint took each of them (seen), and the others looked dead.
TICK_SHARES = (0.6, 1.4)


class Heartbeat:
    """Sends the stage's own queue an empty hint when nothing else came for a while; whichever replica takes it beats.

    A worker that neither consumed nor works within its time for `silent_after_s`, although its hints were accepted,
    has lost its connection without noticing (seen after Redis restarts): it ends itself and is started again. So does
    one whose stage has timed out: nothing else stops that thread, and no job could be alone beside it.
    """

    def __init__(
        self, stage: str, name: str, *, jobs: JobStore, queue: JobQueue, leases: Leases, settings: Settings
    ) -> None:
        self._stage = stage
        self._name = name
        self._jobs = jobs
        self._queue = queue
        self._leases = leases
        self._file = settings.heartbeat_file
        self._silent_after_s = settings.silent_after_s
        self._consumed_at = time.monotonic() - BEAT_EVERY_S  # so that the first tick asks at once
        self._written_at = 0.0
        self._unwritten = self._unsent = 0  # in a row
        self._sent_unanswered = 0
        self._models: Mapping[str, Mapping[str, Any]] = {}

    def consumed(self, models: Mapping[str, Mapping[str, Any]]) -> None:
        """A message was taken off the queue, by a worker that serves with these models."""
        self._consumed_at = time.monotonic()
        self._sent_unanswered = 0
        if self._consumed_at - self._written_at >= BEAT_EVERY_S or models != self._models:
            self._models = models
            self._write()

    def _write(self) -> None:
        self._written_at = time.monotonic()
        try:
            if self._file is not None:
                self._file.touch()
            self._jobs.beat(WorkerRecord(name=self._name, stage=self._stage, models=self._models, beat_at=now()))
        except (FacekitError, OSError) as error:
            # Once is no news: on a first start a worker may be sooner than the gateway that makes the tables.
            log.log(logging.WARNING if self._unwritten else logging.INFO, "heartbeat not written: %s", error)
            self._unwritten += 1
        else:
            self._unwritten = 0

    def tick(self) -> bool:
        """One look at the clock; False when the worker has gone silent or hangs."""
        if self._leases.overdue():
            log.error("%s hangs in a stage: ending, to be started again", self._name)
            return False
        silent_s = time.monotonic() - self._consumed_at
        if self._leases.within_time():
            if time.monotonic() - self._written_at >= BEAT_EVERY_S and self._models:
                self._write()
            return True
        if silent_s >= BEAT_EVERY_S:
            try:
                self._queue.publish(self._stage, "")
                self._sent_unanswered += 1
                self._unsent = 0
            except FacekitError as error:
                level = logging.WARNING if self._unsent else logging.INFO  # once is no news, see `_write`
                log.log(level, "the queue does not answer: %s", error.detail)
                self._unsent += 1
                self._sent_unanswered = 0
                self._consumed_at = time.monotonic()
        if silent_s > self._silent_after_s and self._sent_unanswered > 1:
            log.error("%s has consumed nothing for %.0f s: ending, to be started again", self._name, silent_s)
            return False
        return True

    def run(self, stop: threading.Event) -> None:
        """Ticks until stopped; ends the process when it has gone silent or hangs."""
        while True:
            if not self.tick():
                logging.shutdown()
                os._exit(70)
            if stop.wait(BEAT_EVERY_S * random.uniform(*TICK_SHARES)):
                return
