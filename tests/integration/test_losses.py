"""Kill anything at any moment: every accepted job ends, whole and once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from services.common.adapters.message_log import MessageLog
from services.common.bootstrap import build
from services.common.jobs import Job
from services.common.settings import Settings
from tests import photos
from tests.integration.stack import Stack


def leased_jobs(stack: Stack, stage: str) -> list[Job]:
    """Jobs some worker of the stage holds right now, read from the table itself."""
    ports = build(Settings(home=stack.home))
    try:
        return [job for job in ports.jobs.page(limit=100) if job.stage == stage and job.lease_owner]
    finally:
        ports.close()


def known_jobs(stack: Stack, job_ids: list[str]) -> set[str]:
    """Those of which the table still has a row, deleted or not."""
    ports = build(Settings(home=stack.home))
    try:
        return ports.jobs.existing(job_ids)
    finally:
        ports.close()


def wait_until(found: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not found():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


def whole(job: dict, faces: int) -> bool:
    return job["status"] == "succeeded" and len(job["result"]["faces"]) == faces


@pytest.mark.parametrize("victim", ["detector", "analyzer", "verifier"])
def test_a_worker_killed_in_the_middle_of_a_job(own_stack: Stack, victim: str) -> None:
    """The victim is killed while the table shows it holding a job; that job is tried again and ends well."""
    own_stack.start()
    own_stack.wait_ready()
    crowd, one = photos.thirty_faces(), photos.one_face()
    assert not leased_jobs(own_stack, victim)  # its imports take longer than a detector takes for eight photos
    if victim == "verifier":
        ids = [own_stack.verify(one, crowd).json()["id"] for _ in range(8)]
    else:
        ids = [own_stack.detect(crowd, analyze="age,emotion").json()["id"] for _ in range(8)]
    wait_until(lambda: bool(leased_jobs(own_stack, victim)))
    own_stack.kill(victim)
    held = {job.id for job in leased_jobs(own_stack, victim)}
    assert held, "the worker held nothing when it was killed: the test proves nothing"
    own_stack.start(victim)
    ended = {job_id: own_stack.finished(job_id) for job_id in ids}
    for job_id, job in ended.items():
        assert job["status"] == "succeeded", job["error"]
        if victim == "verifier":
            assert len(job["result"]["matches"]) + len(job["result"]["unmatched"]) == 30
        else:
            assert whole(job, 30) and all(face["attributes"]["emotion"] for face in job["result"]["faces"])
        assert job["attempts"] == (2 if job_id in held else 1)


def test_the_gateway_killed_right_after_accepting(own_stack: Stack) -> None:
    """No hint may have left the gateway: the table alone brings the job to its end."""
    own_stack.start("gateway")
    own_stack.wait_ready(stages=())
    job_id = own_stack.detect(photos.one_face(), analyze="gender").json()["id"]
    own_stack.kill("gateway")
    hints = MessageLog(own_stack.home / "queue" / "detector" / "messages")
    assert len(hints), "nothing was lost: the test proves nothing"
    hints.clear()
    own_stack.start()
    assert whole(own_stack.finished(job_id), 1)


def test_everything_killed_at_once(own_stack: Stack) -> None:
    own_stack.start()
    own_stack.wait_ready()
    photo = photos.thirty_faces()
    ids = [own_stack.detect(photo, analyze="age").json()["id"] for _ in range(10)]
    wait_until(lambda: bool(leased_jobs(own_stack, "detector") or leased_jobs(own_stack, "analyzer")))
    own_stack.kill()
    own_stack.start()
    for job_id in ids:
        job = own_stack.finished(job_id)
        assert whole(job, 30) and all(face["attributes"]["age"] for face in job["result"]["faces"])
    listed = requests.get(f"{own_stack.url}/v1/jobs", params={"limit": 100}, timeout=30).json()["jobs"]
    assert sorted(job["id"] for job in listed) == sorted(ids), "none lost, none doubled"


def test_a_job_that_kills_its_worker_every_time_ends_as_worker_lost(own_stack: Stack) -> None:
    own_stack.start()
    own_stack.wait_ready()
    own_stack.kill("detector")
    job_id = own_stack.detect(photos.thirty_faces()).json()["id"]
    for attempt in (1, 2, 3):
        own_stack.start("detector")
        wait_until(lambda attempt=attempt: any(j.attempts == attempt for j in leased_jobs(own_stack, "detector")), 60)
        own_stack.kill("detector")
    job = own_stack.finished(job_id)
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", "worker_lost", 3)


def test_cancelled_and_deleted_jobs_stay_so_whatever_a_worker_was_doing(own_stack: Stack) -> None:
    own_stack.start()
    own_stack.wait_ready()
    photo = photos.thirty_faces()
    ids = [own_stack.detect(photo, analyze="age,gender").json()["id"] for _ in range(6)]
    wait_until(lambda: bool(leased_jobs(own_stack, "detector")))
    for job_id in ids[::2]:
        answer = requests.post(f"{own_stack.url}/v1/jobs/{job_id}/cancel", timeout=30)
        assert answer.status_code == 200 or answer.json()["code"] == "not_cancellable"
    for job_id in ids[1::2]:
        assert requests.delete(f"{own_stack.url}/v1/jobs/{job_id}", timeout=30).status_code == 204
    cancelled = [own_stack.finished(job_id) for job_id in ids[::2]]
    assert {job["status"] for job in cancelled} <= {"cancelled", "succeeded"}
    assert any(job["status"] == "cancelled" for job in cancelled)
    # The worker that had one may write a crop after the deletion; the sweeper removes it, and then the row.
    wait_until(lambda: not known_jobs(own_stack, ids[1::2]))
    folders = [own_stack.home / "objects" / "jobs" / job_id for job_id in ids[1::2]]
    assert not any(folder.exists() for folder in folders)
    time.sleep(1)
    assert [own_stack.job(job["id"])["status"] for job in cancelled] == [job["status"] for job in cancelled]
    assert not any(folder.exists() for folder in folders)


def test_two_hundred_jobs_at_once_and_a_full_queue(own_stack: Stack) -> None:
    """All that were accepted end, in bounded memory; one more is answered queue_full and leaves nothing behind."""
    own_stack.set(max_queued=200)
    own_stack.start("gateway")
    own_stack.wait_ready(stages=())
    photo = photos.one_face()
    ids = []
    for _ in range(200):
        answer = own_stack.detect(photo)
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])
    refused = own_stack.detect(photo)
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
    assert int(refused.headers["Retry-After"]) >= 1
    assert len(list((own_stack.home / "objects" / "jobs").iterdir())) == 200
    own_stack.start("detector", "analyzer", "verifier")
    jobs = [own_stack.finished(job_id, timeout_s=120) for job_id in ids]
    assert all(whole(job, 1) for job in jobs)
    peaks = own_stack.peak_memory_mb()
    assert peaks["gateway"] < 400 and max(peaks.values()) < 500, peaks
