"""The worker loop on the real embedded adapters: what becomes of a job whose stage succeeds, fails or is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.common.bootstrap import Ports
from services.common.errors import ImageCorrupt, NoSuchJob, ObjectMissing, Unavailable
from services.common.jobs import Job, JobStatus, new_job_id, now, object_prefix
from services.common.settings import Settings
from services.common.work.job_files import JobFiles
from services.common.work.worker import Worker
from tests.unit.services.common.tiny_stage import TinyStage, tiny_bundle

Run = Callable[..., None]


@pytest.fixture
def worker(ports: Ports, settings: Settings, tmp_path: Path) -> Callable[[Run], Worker]:
    tiny_bundle(tmp_path / "bundle", "1", factor=2)

    def make(run: Run = lambda asked, files: None, name: str = "w1") -> Worker:
        stage = TinyStage(tmp_path / "bundle", run)
        named = settings.model_copy(update={"worker_name": name})
        return Worker(stage, store=ports.store, jobs=ports.jobs, queue=ports.queue, settings=named)

    return make


def queued(ports: Ports, kind: str = "detection", **options: object) -> str:
    job = Job(new_job_id(), kind, JobStatus.QUEUED, "detector", options, now())
    ports.jobs.insert(job, max_active=100)
    return job.id


def test_a_stage_that_succeeds_ends_the_job(ports: Ports, worker: Callable[..., Worker]) -> None:
    job_id = queued(ports)
    worker().handle(job_id)
    job = ports.jobs.get(job_id)
    assert (job.status, job.stage, job.result and job.result["image"]["width"]) == (JobStatus.SUCCEEDED, None, 2)
    assert job.models == {"detector": "tiny@1"} and {"queued", "detector", "detector_model"} <= set(job.timings_ms)


def test_a_second_delivery_finds_nothing_to_claim(ports: Ports, worker: Callable[..., Worker]) -> None:
    ran: list[str] = []
    job_id = queued(ports)
    w = worker(lambda asked, files: ran.append(files.job_id))
    for _ in range(3):
        w.handle(job_id)
    w.handle(new_job_id())
    assert ran == [job_id]


def test_the_next_stage_is_left_unclaimed(ports: Ports, worker: Callable[..., Worker]) -> None:
    job_id = queued(ports, analyze=["age"])
    worker().handle(job_id)
    job = ports.jobs.get(job_id)
    assert (job.status, job.stage, job.lease_owner) == (JobStatus.RUNNING, "analyzer", None)


def test_an_error_of_the_photo_fails_the_job_at_once(ports: Ports, worker: Callable[..., Worker]) -> None:
    def corrupt(asked: object, files: JobFiles) -> None:
        raise ImageCorrupt("half a photo")

    job_id = queued(ports)
    worker(corrupt).handle(job_id)
    job = ports.jobs.get(job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, {"code": "image_corrupt", "detail": "half a photo"})


@pytest.mark.parametrize("error", [Unavailable("store away"), RuntimeError("bug")])
def test_what_a_retry_can_help_is_tried_again_and_then_fails(
    ports: Ports, worker: Callable[..., Worker], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.work.worker.RETRY_DELAY_S", 0.01)

    def broken(asked: object, files: JobFiles) -> None:
        raise error

    job_id = queued(ports)
    w = worker(broken)
    w.handle(job_id)
    job = ports.jobs.get(job_id)
    assert (job.status, job.attempts, job.lease_owner) == (JobStatus.QUEUED, 2, None)
    for _ in range(2):
        time.sleep(0.1)
        w.handle(job_id)
    job = ports.jobs.get(job_id)
    assert job.status is JobStatus.FAILED and job.attempts == 3
    assert job.error is not None and job.error["code"] in ("unavailable", "internal_error")
    assert "bug" not in job.error["detail"], "users see no internals"


def test_a_job_cancelled_while_it_runs_stays_cancelled(ports: Ports, worker: Callable[..., Worker]) -> None:
    job_id = queued(ports)
    worker(lambda asked, files: ports.jobs.cancel(files.job_id)).handle(job_id)
    job = ports.jobs.get(job_id)
    assert job.status is JobStatus.CANCELLED and job.result is None


def test_a_job_deleted_while_it_runs_stays_deleted(ports: Ports, worker: Callable[..., Worker]) -> None:
    job_id = queued(ports)
    worker(lambda asked, files: ports.jobs.mark_deleted(files.job_id)).handle(job_id)
    with pytest.raises(NoSuchJob):
        ports.jobs.get(job_id)


def test_a_lost_lease_writes_nothing_and_the_other_worker_ends_the_job(
    ports: Ports, worker: Callable[..., Worker]
) -> None:
    """The first worker stalls past its lease without renewing; the second one's result stands, once."""

    def stall(asked: object, files: JobFiles) -> None:
        time.sleep(1.2)
        ports.jobs.sweep(hint_after_s=0, max_alone=2, error={"code": "worker_lost", "detail": ""})
        worker(name="w2").handle(files.job_id)

    job_id = queued(ports)
    worker(stall, name="w1").handle(job_id)
    job = ports.jobs.get(job_id)
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 1)


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_written_after_a_deletion_goes_too(ports: Ports, worker: Callable[..., Worker], fails: bool) -> None:
    """The sweeper waits for a lease's time; a worker that is slower finds photos and row gone."""

    def outlast_the_deletion(asked: object, files: JobFiles) -> None:
        ports.jobs.mark_deleted(files.job_id)
        ports.store.delete_prefix(object_prefix(files.job_id))
        ports.jobs.purge(files.job_id)
        files.put("face-0", b"a crop")
        if fails:
            raise ObjectMissing("the photo is gone")

    job_id = queued(ports)
    worker(outlast_the_deletion).handle(job_id)
    assert not list(ports.store.keys(object_prefix(job_id)))


def suspected(ports: Ports) -> str:
    """A job whose worker was lost once."""
    job_id = queued(ports)
    ports.jobs.claim(job_id, "detector", "lost", 0)
    ports.jobs.sweep(hint_after_s=0, max_alone=2, error={"code": "worker_lost", "detail": ""})
    return job_id


def test_a_suspected_job_runs_alone(ports: Ports, worker: Callable[..., Worker]) -> None:
    """It waits for those that run, holds back those that come, and its lease says so while it runs."""
    inside: list[str] = []
    together: dict[str, set[str]] = {}
    release = threading.Event()

    def run(asked: object, files: JobFiles) -> None:
        inside.append(files.job_id)
        if files.job_id == first:
            release.wait(10)
        for _ in range(10):
            together.setdefault(files.job_id, set()).update(inside)
            time.sleep(0.01)
        inside.remove(files.job_id)

    first, suspect, *others = queued(ports), suspected(ports), queued(ports), queued(ports)
    w = worker(run)
    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(w.handle, first)]
        while first not in inside:
            time.sleep(0.01)
        done.append(threads.submit(w.handle, suspect))
        while ports.jobs.get(suspect).lease_owner is None:
            time.sleep(0.01)
        done += [threads.submit(w.handle, job_id) for job_id in others]
        time.sleep(0.1)
        assert {ports.jobs.get(job_id).lease_owner for job_id in others} == {None}, "free for other workers"
        release.set()
        for each in done:
            each.result(10)
    assert together[suspect] == {suspect}
    ended = [ports.jobs.get(job_id) for job_id in (first, suspect, *others)]
    assert {(job.status, job.attempts) for job in ended} == {(JobStatus.SUCCEEDED, 1)}


def test_a_suspected_job_that_lost_its_lease_while_it_waited_does_not_run(
    ports: Ports, worker: Callable[..., Worker]
) -> None:
    ran: list[str] = []

    def cancel_the_waiting(asked: object, files: JobFiles) -> None:
        ran.append(files.job_id)
        threads.submit(w.handle, waiting)
        while ports.jobs.get(waiting).lease_owner is None:
            time.sleep(0.01)
        ports.jobs.cancel(waiting)

    first, waiting = queued(ports), suspected(ports)
    w = worker(cancel_the_waiting)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(w.handle, first).result(10)
    assert ran == [first]
    assert ports.jobs.get(waiting).status is JobStatus.CANCELLED


def test_consuming_makes_the_heart_beat(ports: Ports, worker: Callable[..., Worker]) -> None:
    before = now()
    worker(name="beating").handle("")
    (record,) = ports.jobs.workers(seen_since=before)
    assert (record.name, record.stage) == ("beating", "detector")
    assert record.models["detector"]["version"] == "1"
