"""Accepting a job: check the photos whole, store them, insert the row, publish the hint; or leave nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from services.common.errors import FacekitError, InvalidValue, QueueFull, Unavailable
from services.common.flows.kind import Kind
from services.common.jobs import Job, JobStatus, new_job_id, now, object_key, object_prefix
from services.common.photos.imaging import check, probe
from services.common.ports import JobQueue, JobStore, ObjectStore
from services.common.schemas import Schema
from services.common.settings import Settings, usable_cpus
from services.gateway.uploads import Upload

log = logging.getLogger(__name__)

FULLNESS_AGE_S: Final = 0.25
MAX_KEY_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Submission:
    """A job that is asked for. `photos` maps the name an object gets in the store to the upload."""

    kind: Kind[Any, Any]
    options: Schema
    photos: Mapping[str, Upload]
    owner: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`replayed`: the same key and payload had been accepted before; `job` is that older one."""

    job: Job
    replayed: bool


class Acceptance:
    """Runs on a few threads of its own, so that however many upload at once, few photos are in memory together."""

    def __init__(self, store: ObjectStore, jobs: JobStore, queue: JobQueue, settings: Settings) -> None:
        self._store = store
        self._jobs = jobs
        self._queue = queue
        self._settings = settings
        cpus = usable_cpus()
        self._threads = ThreadPoolExecutor(max_workers=2 * cpus, thread_name_prefix="accept")
        # For writes and for checks of second photos. Nothing here waits for anything else here, so it cannot lock up.
        self._beside = ThreadPoolExecutor(max_workers=2 * cpus, thread_name_prefix="beside")
        self.decoding = threading.BoundedSemaphore(cpus)
        self._active = 0
        self._counting: asyncio.Task[None] | None = None
        self._active_at = float("-inf")

    async def accept(self, submission: Submission) -> Accepted:
        """Raises the imaging errors, IdempotencyConflict, QueueFull, StorageFull, Unavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._accept, submission)

    async def refuse_when_full(self) -> None:
        """Raises QueueFull before a body is read. It uses the last count, which may be a moment old; `insert` counts
        again. A caller waits for a new count only if the last one left no room."""
        if time.monotonic() - self._active_at > FULLNESS_AGE_S:
            if self._counting is None or self._counting.done():
                self._counting = asyncio.create_task(self._count())
            if self._active >= self._settings.max_queued:
                await asyncio.shield(self._counting)  # others may be waiting for it
        if self._active >= self._settings.max_queued:
            raise QueueFull(f"{self._active} jobs are waiting or running", retry_after_s=5)

    async def _count(self) -> None:
        try:
            counts = await asyncio.to_thread(self._jobs.counts)
        except FacekitError as error:
            log.warning("unfinished jobs could not be counted: %s", error.detail)
            return
        self._active, self._active_at = sum(counts.values()), time.monotonic()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._beside.shutdown(wait=True)

    def _accept(self, submission: Submission) -> Accepted:
        job_id = new_job_id()
        writes: list[Future[None]] = []
        inserting = False
        try:
            digests = self._check_and_store_all(job_id, submission.photos, writes)
            for write in writes:
                write.result()
            job = self._queued(job_id, submission, digests)
            inserting = True
            accepted, inserted = self._jobs.insert(job, max_active=self._settings.max_queued)
        except BaseException as error:
            # A database that stopped answering may have committed the job first. Then its photos must stay. If it has
            # not, nobody needs the photos, and the sweeper removes them.
            if not isinstance(error, Unavailable) or not inserting:
                self._forget(job_id, writes)
            raise
        if not inserted:
            self._forget(job_id, writes)
            return Accepted(accepted, replayed=True)
        self._publish(accepted)
        return Accepted(accepted, replayed=False)

    def _check_and_store_all(
        self, job_id: str, photos: Mapping[str, Upload], writes: list[Future[None]]
    ) -> dict[str, str]:
        """The photos beside each other; their digests by name. Ends when every one is done, also with an error."""
        first, *others = photos
        beside = {
            name: self._beside.submit(self._check_and_store, photos[name], object_key(job_id, name), writes)
            for name in others
        }
        try:
            digest = self._check_and_store(photos[first], object_key(job_id, first), writes)
        finally:
            wait(beside.values())
        return {first: digest} | {name: check.result() for name, check in beside.items()}

    def _check_and_store(self, upload: Upload, key: str, writes: list[Future[None]]) -> str:
        """Checks while the store writes: both take tens of milliseconds for a large PNG or HEIC. Its sha256."""
        content = upload.read()
        try:
            probe(content, self._settings.max_pixels)  # what the header gives away is not written at all
            writes.append(self._beside.submit(self._store.put, key, content))
            with self.decoding:
                check(content, self._settings.max_pixels)
        except FacekitError as error:
            raise type(error)(f"{upload.name}: {error.detail}") from error
        return hashlib.sha256(content).hexdigest()

    def _queued(self, job_id: str, submission: Submission, digests: Mapping[str, str]) -> Job:
        options = submission.options.model_dump()
        return Job(
            id=job_id,
            kind=submission.kind.name,
            status=JobStatus.QUEUED,
            stage=submission.kind.flow(submission.options)[0],
            options=options,
            created_at=now(),
            owner=submission.owner,
            idempotency_key=submission.idempotency_key,
            payload_sha256=payload_sha256(submission.kind.name, options, digests),
        )

    def _publish(self, job: Job) -> None:
        assert job.stage is not None  # it was just queued
        try:
            self._queue.publish(job.stage, job.id)
        except FacekitError as error:
            log.warning("hint not sent, the sweeper will: %s", error.detail, extra={"job_id": job.id})
        except Exception:  # whatever it is, the job is accepted and must be answered so
            log.exception("hint not sent, the sweeper will", extra={"job_id": job.id})

    def _forget(self, job_id: str, writes: list[Future[None]]) -> None:
        wait(writes)
        with suppress(FacekitError):  # the sweeper tries again
            self._store.delete_prefix(object_prefix(job_id))


def payload_sha256(kind: str, options: Mapping[str, Any], photo_digests: Mapping[str, str]) -> str:
    """Two submissions are the same payload when kind, options as understood and photo bytes are."""
    payload = {"kind": kind, "options": dict(options), "photos": dict(photo_digests)}
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def checked_idempotency_key(header: str | None) -> str | None:
    """Raises InvalidValue for a key that is empty, too long or not printable ASCII."""
    if header is None:
        return None
    if not 0 < len(header) <= MAX_KEY_LENGTH or not header.isascii() or not header.isprintable():
        raise InvalidValue(f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters")
    return header
