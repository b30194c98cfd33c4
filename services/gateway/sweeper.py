"""The sweeper: sends lost hints again, finishes deletions, keeps to the retention time, removes orphaned photos.

It runs in a thread of every gateway; each step is safe to do twice, so several gateways need no leader.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, islice
from typing import Final

from services.common.errors import FacekitError, NoSuchJob, Unavailable, WorkerLost
from services.common.jobs import CHIPS, now, object_key, object_prefix
from services.common.ports import JobQueue, JobStore, ObjectStore
from services.common.settings import Settings
from services.gateway.metrics import GatewayMetrics

log = logging.getLogger(__name__)

BATCH: Final = 100
RETENTION_EVERY_S: Final = 60.0
ORPHANS_EVERY_S: Final = 3600.0
ORPHAN_AGE_S: Final = 3600.0
LONGEST_BACKOFF_S: Final = 60.0
# Workers that may die of a job that is alone in them: the second time it was not chance.
MAX_ALONE: Final = 2

_JOBS_PREFIX: Final = object_prefix("").rstrip("/") + "/"
# The first hex digits of a UUIDv7 are its milliseconds: five of them are a window of 2**28 ms, about three days.
_WINDOW_DIGITS: Final = 5
_WINDOW_MS: Final = 1 << 28


class Sweeper:
    def __init__(
        self, store: ObjectStore, jobs: JobStore, queue: JobQueue, settings: Settings, metrics: GatewayMetrics
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._queue = queue
        self._settings = settings
        self._metrics = metrics
        self._deleted_seen: dict[str, float] = {}
        self._retention_at = self._orphans_at = float("-inf")
        self._every_window_seen = False

    def run(self, stop: threading.Event) -> None:
        """Sweeps until stopped. An error is logged and tried again, later and later."""
        failures = 0
        while not stop.wait(min(self._settings.sweep_interval_s * 2**failures, LONGEST_BACKOFF_S)):
            try:
                self.sweep()
                failures = 0
            except FacekitError as error:
                failures = min(failures + 1, 10)
                log.warning("sweep failed, %d in a row: %s", failures, error.detail)
            except Exception:
                failures = min(failures + 1, 10)
                log.exception("sweep failed, %d in a row", failures)

    def sweep(self) -> None:
        """One round of everything that is due."""
        self.hint_again()
        self.finish_deletions()
        at = time.monotonic()
        if at - self._retention_at > RETENTION_EVERY_S:
            self.retire()
            self._retention_at = at
        if at - self._orphans_at > ORPHANS_EVERY_S:
            self.remove_orphans()
            self._orphans_at = at

    def hint_again(self) -> None:
        """Lost leases go back to the queue, and what waits without a hint is published again."""
        max_alone = min(MAX_ALONE, self._settings.max_attempts)
        died = "twice" if max_alone == MAX_ALONE else "once"
        lost = WorkerLost(f"Its worker died {died} while this job was alone in it.")
        swept = self._jobs.sweep(
            hint_after_s=self._settings.hint_after_s,
            max_alone=max_alone,
            error={"code": lost.code, "detail": lost.detail},
        )
        self._metrics.lost_leases.labels("requeued").inc(len(swept.requeued))
        self._metrics.lost_leases.labels("quarantined").inc(len(swept.quarantined))
        for job_id in swept.requeued:
            log.warning("worker lost, the job goes back and runs alone", extra={"job_id": job_id})
        for job_id in swept.quarantined:
            log.error("quarantined: %s", lost.detail, extra={"job_id": job_id})
            self._store.delete(object_key(job_id, CHIPS))  # no worker is left to remove them
        for job_id, stage in swept.hints:
            try:
                self._queue.publish(stage, job_id)
            except Unavailable as error:
                log.warning("%d hints not sent, the queue does not answer: %s", len(swept.hints), error.detail)
                return
            self._metrics.republished.labels(stage).inc()
            log.info("hint for %s sent again", stage, extra={"job_id": job_id})

    def finish_deletions(self) -> None:
        """Removes objects and rows of deleted jobs, once no worker that had them can still be writing crops."""
        deleted = self._jobs.deleted(limit=BATCH)
        at = time.monotonic()
        self._deleted_seen = {job_id: self._deleted_seen.get(job_id, at) for job_id in deleted}
        for job_id, seen_at in self._deleted_seen.items():
            if at - seen_at >= self._settings.lease_s:
                self._store.delete_prefix(object_prefix(job_id))
                self._jobs.purge(job_id)

    def retire(self) -> None:
        """Deletes jobs that ended longer ago than the retention time."""
        if not self._settings.retention_days:
            return
        limit = now() - timedelta(days=self._settings.retention_days)
        while old := self._jobs.expired(finished_before=limit, limit=BATCH):
            for job_id in old:
                try:
                    self._jobs.mark_deleted(job_id)
                except NoSuchJob:
                    continue  # a user or another gateway was faster
                self._store.delete_prefix(object_prefix(job_id))
                self._jobs.purge(job_id)
            log.info("%d jobs removed by age", len(old))

    def remove_orphans(self) -> None:
        """Photos whose job was never inserted, or whose row went while a worker wrote: recent ones are left alone."""
        for prefix in self._windows():
            job_ids = _old_enough(_job_ids(self._store.keys(prefix)))
            while some := list(islice(job_ids, BATCH)):
                for job_id in sorted(set(some) - self._jobs.existing(some)):
                    self._store.delete_prefix(object_prefix(job_id))
                    log.info("orphaned photos removed", extra={"job_id": job_id})
        self._every_window_seen = True

    def _windows(self) -> list[str]:
        """Everything the first time, later the last days alone."""
        if not self._every_window_seen:
            return [_JOBS_PREFIX]
        newest = time.time_ns() // 1_000_000 - int(ORPHAN_AGE_S * 1000)
        starts = {f"{at:012x}"[:_WINDOW_DIGITS] for at in (newest - _WINDOW_MS, newest)}
        return [_JOBS_PREFIX + start for start in sorted(starts)]


def _job_ids(keys: Iterator[str]) -> Iterator[str]:
    """The job of each key, once: keys come sorted."""
    for job_id, _ in groupby(key.removeprefix(_JOBS_PREFIX).partition("/")[0] for key in keys):
        yield job_id


def _old_enough(job_ids: Iterator[str]) -> Iterator[str]:
    """Those made more than `ORPHAN_AGE_S` ago by the time in their id; what is no UUIDv7 is not ours to remove."""
    limit_ms = (time.time() - ORPHAN_AGE_S) * 1000
    for job_id in job_ids:
        try:
            parsed = uuid.UUID(job_id)
        except ValueError:
            continue
        if parsed.version == 7 and parsed.int >> 80 < limit_ms:
            yield job_id
