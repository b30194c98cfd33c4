"""Kill anything at any moment: every accepted job ends, whole and once.

One stack stands for most of these tests; each begins with all of it running, whatever the one before has killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import requests

from services.common.bootstrap import build
from services.common.jobs import Job, JobStatus
from services.common.ports import JobStore
from services.common.settings import Settings
from tests import photos
from tests.integration.stack import SHORT_LEASES, Stack


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("mortal"), **SHORT_LEASES)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def whole_stack(standing: Stack) -> Stack:
    """All four processes, ready; what a test before this one has killed is started again."""
    standing.start_missing()
    standing.wait_ready()
    return standing


@pytest.fixture(scope="module")
def table(standing: Stack) -> Iterator[JobStore]:
    """The standing stack's jobs, read from the table itself: open all the time, since a job is under way for less than
    opening takes."""
    ports = build(Settings(home=standing.home))
    try:
        yield ports.jobs
    finally:
        ports.close()


def leased_jobs(table: JobStore, stage: str) -> list[Job]:
    """Jobs some worker of the stage holds right now."""
    running = table.page(limit=100, status=JobStatus.RUNNING)
    return [job for job in running if job.stage == stage and job.lease_owner]


def listed_jobs(stack: Stack) -> list[str]:
    page = requests.get(f"{stack.url}/v1/jobs", params={"limit": 100}, timeout=30).json()
    assert page["next_cursor"] is None, "more than a page"
    return [job["id"] for job in page["jobs"]]


def wait_until(found: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not found():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


def whole(job: dict, faces: int) -> bool:
    return job["status"] == "succeeded" and len(job["result"]["faces"]) == faces


@pytest.mark.parametrize("victim", ["detector", "analyzer", "verifier"])
def test_a_worker_killed_in_the_middle_of_a_job(whole_stack: Stack, table: JobStore, victim: str) -> None:
    """The victim is killed while the table shows it holding a job; that job is tried again and ends well."""
    crowd, one = photos.thirty_faces(), photos.one_face()
    whole_stack.pause(victim)
    if victim == "verifier":
        ids = [whole_stack.verify(one, crowd).json()["id"] for _ in range(8)]
    else:
        ids = [whole_stack.detect(crowd, analyze="age,emotion").json()["id"] for _ in range(8)]
    whole_stack.resume(victim)
    wait_until(lambda: bool(leased_jobs(table, victim)))
    whole_stack.kill(victim)
    held = {job.id for job in leased_jobs(table, victim)}
    assert held, "the worker held nothing when it was killed: the test proves nothing"
    whole_stack.start(victim)
    ended = {job_id: whole_stack.finished(job_id) for job_id in ids}
    for job in ended.values():
        assert job["status"] == "succeeded", job["error"]
        if victim == "verifier":
            assert len(job["result"]["matches"]) + len(job["result"]["unmatched"]) == 30
        else:
            assert whole(job, 30) and all(face["attributes"]["emotion"] for face in job["result"]["faces"])
        assert job["attempts"] == 1, "whose doing it was nobody knows: nobody is charged"


def test_the_gateway_killed_right_after_accepting(whole_stack: Stack) -> None:
    """Nothing but the table is left of it: that brings the job to its end."""
    whole_stack.kill()
    whole_stack.start("gateway")
    whole_stack.wait_ready(stages=())
    job_id = whole_stack.detect(photos.one_face(), analyze="gender").json()["id"]
    whole_stack.kill("gateway")
    whole_stack.start()
    assert whole(whole_stack.finished(job_id), 1)


def test_everything_killed_at_once(whole_stack: Stack, table: JobStore) -> None:
    photo, before = photos.thirty_faces(), listed_jobs(whole_stack)
    whole_stack.pause("detector")
    ids = [whole_stack.detect(photo, analyze="age").json()["id"] for _ in range(10)]
    whole_stack.resume("detector")
    wait_until(lambda: bool(leased_jobs(table, "detector") or leased_jobs(table, "analyzer")))
    whole_stack.kill()
    whole_stack.start()
    for job_id in ids:
        job = whole_stack.finished(job_id)
        assert whole(job, 30) and all(face["attributes"]["age"] for face in job["result"]["faces"])
    assert sorted(listed_jobs(whole_stack)) == sorted([*before, *ids]), "none lost, none doubled"


def test_a_job_that_kills_its_worker_every_time_ends_as_worker_lost(whole_stack: Stack, table: JobStore) -> None:
    whole_stack.kill("detector")
    job_id = whole_stack.detect(photos.thirty_faces()).json()["id"]
    deaths = 0
    while table.get(job_id).finished_at is None:
        whole_stack.start("detector")
        wait_until(lambda: bool(leased_jobs(table, "detector")), 60)
        time.sleep(0.02)  # claimed, it still has to say that it is alone: killed before, it is charged nothing
        whole_stack.kill("detector")
        deaths += 1
        wait_until(lambda: not leased_jobs(table, "detector"))
    job = whole_stack.finished(job_id)
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", "worker_lost", 2)
    assert 3 <= deaths <= 6


def test_cancelled_and_deleted_jobs_stay_so_whatever_a_worker_was_doing(whole_stack: Stack, table: JobStore) -> None:
    photo = photos.one_face()  # less than a lease's time at a worker, however slow the machine
    whole_stack.pause("detector")
    ids = [whole_stack.detect(photo, analyze="age,gender").json()["id"] for _ in range(6)]
    whole_stack.resume("detector")
    wait_until(lambda: bool(leased_jobs(table, "detector")))
    for job_id in ids[::2]:
        answer = requests.post(f"{whole_stack.url}/v1/jobs/{job_id}/cancel", timeout=30)
        assert answer.status_code == 200 or answer.json()["code"] == "not_cancellable"
    for job_id in ids[1::2]:
        assert requests.delete(f"{whole_stack.url}/v1/jobs/{job_id}", timeout=30).status_code == 204
    cancelled = [whole_stack.finished(job_id) for job_id in ids[::2]]
    assert {job["status"] for job in cancelled} <= {"cancelled", "succeeded"}
    assert any(job["status"] == "cancelled" for job in cancelled)
    # The worker that had one may write a crop after the deletion; the sweeper removes it, and then the row.
    wait_until(lambda: not table.existing(ids[1::2]))
    folders = [whole_stack.home / "objects" / "jobs" / job_id for job_id in ids[1::2]]
    assert not any(folder.exists() for folder in folders)
    time.sleep(1)
    assert [whole_stack.job(job["id"])["status"] for job in cancelled] == [job["status"] for job in cancelled]
    assert not any(folder.exists() for folder in folders)


def test_two_hundred_jobs_at_once_and_a_full_queue(own_stack: Stack) -> None:
    """All that were accepted end, in bounded memory; one more is answered queue_full and leaves nothing behind."""
    own_stack.set(max_queued=200)
    own_stack.start("gateway")
    own_stack.wait_ready(stages=())
    photo = photos.jpeg(photos.astronaut_rgb()[64:192])  # a strip with the face, in a quarter of the time
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
