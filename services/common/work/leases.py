"""Leases a worker holds: renewed in the background while the work goes on, given up when it takes too long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.common.errors import Unavailable
from services.common.ports import JobStore

log = logging.getLogger(__name__)


class Leases:
    """Renews every held lease three times a lease, from one thread.

    Every claim is made under an owner name of its own, so that two threads of one worker are two owners. A stage that
    runs longer than `stage_timeout_s` is renewed no more: a hung model must not hold its job for ever. Waiting for a
    turn is not running.
    """

    def __init__(self, jobs: JobStore, *, lease_s: float, stage_timeout_s: float) -> None:
        self._jobs = jobs
        self._lease_s = lease_s
        self._stage_timeout_s = stage_timeout_s
        self._held: dict[tuple[str, str], float | None] = {}  # since when; None for one that waits
        self._lost: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, job_id: str, owner: str) -> Iterator[None]:
        """While inside, the lease that was claimed under this owner name is kept alive."""
        with self._kept(job_id, owner, time.monotonic()):
            yield

    @contextmanager
    def waiting(self, job_id: str, owner: str) -> Iterator[None]:
        """While inside, the lease is kept alive however long it takes."""
        with self._kept(job_id, owner, None):
            yield

    @contextmanager
    def _kept(self, job_id: str, owner: str, since: float | None) -> Iterator[None]:
        with self._lock:
            self._held[job_id, owner] = since
        try:
            yield
        finally:
            with self._lock:
                self._held.pop((job_id, owner), None)
                self._lost.discard((job_id, owner))

    def within_time(self) -> bool:
        """Whether something is held and all of it is younger than the stage timeout."""
        since = self._running_since()
        return bool(since) and not self._is_over(min(since))

    def overdue(self) -> bool:
        """Whether something runs for longer than the stage timeout."""
        return any(map(self._is_over, self._running_since()))

    def _running_since(self) -> list[float]:
        with self._lock:
            return [since for since in self._held.values() if since is not None]

    def _is_over(self, since: float) -> bool:
        return time.monotonic() - since >= self._stage_timeout_s

    def renew_all(self) -> None:
        """One round. A lease found lost (cancelled, deleted, swept) is no longer renewed; the work's end finds out."""
        with self._lock:
            held = [(key, since) for key, since in self._held.items() if key not in self._lost]
        for (job_id, owner), since in held:
            if since is not None and self._is_over(since):
                log.warning("stage timed out", extra={"job_id": job_id})
                continue
            try:
                if self._jobs.renew(job_id, owner, self._lease_s):
                    continue
                log.warning("lease lost", extra={"job_id": job_id})
            except Unavailable as error:
                log.warning("lease not renewed: %s", error.detail, extra={"job_id": job_id})
                continue
            with self._lock:
                if (job_id, owner) in self._held:
                    self._lost.add((job_id, owner))

    def run(self, stop: threading.Event) -> None:
        """Renews until stopped."""
        while not stop.wait(self._lease_s / 3):
            self.renew_all()
