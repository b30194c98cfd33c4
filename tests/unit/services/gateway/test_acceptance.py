"""Accepting while a part of the system is away: nothing accepted is lost, nothing refused is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.common.errors import NoSuchJob, StorageFull, Unavailable
from services.common.jobs import Job
from services.common.kinds import detection
from services.gateway.acceptance import Acceptance, Accepted, Submission
from services.gateway.uploads import Upload
from tests.unit.services.gateway.conftest import PHOTO, Api


class Without:
    """A port some of whose methods fail with an error, before or after they have done their work."""

    def __init__(self, port: Any, error: Exception, *methods: str, after: bool = False) -> None:
        self._port, self._error, self._methods, self._after = port, error, methods, after

    def __getattr__(self, name: str) -> Any:
        if name not in self._methods:
            return getattr(self._port, name)

        def failing(*arguments: Any, **options: Any) -> None:
            if self._after:
                getattr(self._port, name)(*arguments, **options)
            raise self._error

        return failing


def accept(api: Api, **ports: Any) -> Accepted:
    gateway = api.gateway
    chosen = {"store": gateway.store, "jobs": gateway.jobs, "queue": gateway.queue} | ports
    acceptance = Acceptance(**chosen, settings=gateway.settings)
    photo = Upload("image", 10**7)
    photo.append(PHOTO)
    submission = Submission(detection.KIND, detection.DetectionOptions(), {"original": photo}, "", None)
    try:
        return asyncio.run(acceptance.accept(submission))
    finally:
        acceptance.close()


def test_a_queue_that_is_away_does_not_matter(api: Api) -> None:
    accepted = accept(api, queue=Without(api.gateway.queue, Unavailable("redis is away"), "publish"))
    assert not accepted.replayed
    assert [job.id for job in api.rows()] == [accepted.job.id]
    assert api.stored() == [f"jobs/{accepted.job.id}/original"]


@pytest.mark.parametrize("error", [Unavailable("minio is away"), StorageFull("the disk is full")])
def test_a_store_that_takes_nothing(api: Api, error: Exception) -> None:
    with pytest.raises(type(error)):
        accept(api, store=Without(api.gateway.store, error, "put"))
    assert api.rows() == []


def test_an_insert_that_was_committed_though_its_answer_was_lost(api: Api) -> None:
    """The client hears 503; the job is there, and so must its photo be."""
    with pytest.raises(Unavailable):
        accept(api, jobs=Without(api.gateway.jobs, Unavailable("postgres went away"), "insert", after=True))
    (job,) = api.rows()
    assert api.stored() == [f"jobs/{job.id}/original"]


def test_an_insert_that_fails_for_good_leaves_nothing(api: Api) -> None:
    with pytest.raises(RuntimeError):
        accept(api, jobs=Without(api.gateway.jobs, RuntimeError("nobody thought of this"), "insert"))
    assert api.stored() == []


def test_photos_that_could_not_be_removed_do_not_hide_the_reason(api: Api) -> None:
    store = Without(api.gateway.store, Unavailable("minio is away"), "delete_prefix")
    with pytest.raises(NoSuchJob):
        accept(api, store=store, jobs=Without(api.gateway.jobs, NoSuchJob("the real reason"), "insert"))


def test_an_upload_reads_as_it_came_however_it_was_spilled() -> None:
    upload = Upload("image", 10**7)
    pieces = [bytes([index]) * 300_000 for index in range(9)]
    for piece in pieces:
        upload.append(piece)
        if upload.wants_spill:
            upload.spill()
    assert upload.read() == upload.read() == b"".join(pieces)
    assert upload.size_bytes == 2_700_000
    upload.close()


def test_jobs_are_made_for_their_first_stage(api: Api) -> None:
    job: Job = accept(api).job
    assert job.stage == "detector"
    assert job.payload_sha256 is not None
    assert len(job.payload_sha256) == 64
