"""Looking at jobs, waiting for them, paging through them, cancelling and deleting them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.common.errors import ImageCorrupt, NoSuchJob
from services.common.jobs import JobStatus
from tests.unit.services.gateway.conftest import PHOTO, Api, Start, problem


def test_a_finished_job_shows_its_result(api: Api) -> None:
    job_id = api.accepted()
    api.run_stages(job_id)
    view = api.get(f"/v1/jobs/{job_id}").json()
    assert (view["status"], view["stage"], view["progress"]) == ("succeeded", None, 1.0)
    assert view["result"]["notice"] == "no_faces"
    assert view["models"] == {"detector": "model@1"}
    assert view["timings_ms"]["queued"] >= 0


def test_a_result_in_the_making_is_not_shown(api: Api) -> None:
    job_id = api.accepted(analyze="age")
    jobs = api.gateway.jobs
    assert jobs.claim(job_id, "detector", "w", 30)
    assert jobs.finish_stage(job_id, "w", next_stage="analyzer", result={"half": 1}, timings_ms={}, models={})
    view = api.get(f"/v1/jobs/{job_id}").json()
    assert (view["status"], view["stage"], view["progress"], view["result"]) == ("running", "analyzer", 0.5, None)


def test_waiting_ends_when_the_job_changes(api: Api) -> None:
    job_id = api.accepted()
    worker = threading.Timer(0.4, api.run_stages, (job_id,))
    worker.start()
    started = time.monotonic()
    view = api.get(f"/v1/jobs/{job_id}", wait=20).json()
    assert view["status"] in ("running", "succeeded")
    assert 0.3 < time.monotonic() - started < 15
    worker.join()


def test_waiting_for_the_end_passes_over_the_changes_before(api: Api) -> None:
    job_id = api.accepted(analyze="age")
    worker = threading.Timer(0.4, api.run_stages, (job_id,))
    worker.start()
    assert api.get(f"/v1/jobs/{job_id}", wait=20, until="end").json()["status"] == "succeeded"
    worker.join()
    problem(api.get(f"/v1/jobs/{job_id}", wait=1, until="monday"), 422, "invalid_value")


def test_waiting_ends_at_its_time_and_at_the_longest_allowed(start: Start) -> None:
    api = start(max_wait_s=0.5)
    job_id = api.accepted()
    for wait in (0.2, 30):
        started = time.monotonic()
        assert api.get(f"/v1/jobs/{job_id}", wait=wait).json()["status"] == "queued"
        assert min(wait, 0.5) <= time.monotonic() - started < 15


def test_an_ended_job_is_not_waited_for(api: Api) -> None:
    job_id = api.accepted()
    api.run_stages(job_id)
    started = time.monotonic()
    assert api.get(f"/v1/jobs/{job_id}", wait=20).json()["status"] == "succeeded"
    assert time.monotonic() - started < 15


def test_waiting_for_a_job_that_is_deleted(api: Api) -> None:
    job_id = api.accepted()
    user = threading.Timer(0.3, lambda: api.client.delete(f"/v1/jobs/{job_id}"))
    user.start()
    problem(api.get(f"/v1/jobs/{job_id}", wait=20), 404, "no_such_job")
    user.join()


def test_sixty_may_wait_at_once_while_others_are_served(api: Api) -> None:
    job_id = api.accepted()
    with ThreadPoolExecutor(60) as threads:
        waits = [threads.submit(api.get, f"/v1/jobs/{job_id}", wait=30) for _ in range(60)]
        deadline = time.monotonic() + 20
        while api.gateway.watcher.waiting < 60:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert api.get("/readyz").status_code == 200
        assert b"facekit_waiting_clients 60.0" in api.get("/metrics").content
        api.run_stages(job_id)
        assert {wait.result().json()["status"] for wait in waits} <= {"running", "succeeded"}
    assert api.gateway.watcher.waiting == 0


def test_who_hangs_up_waits_no_more(api: Api) -> None:
    job_id = api.accepted()
    with pytest.raises(Exception, match="timed out"):
        api.client.get(f"/v1/jobs/{job_id}", params={"wait": 30}, timeout=0.3)
    deadline = time.monotonic() + 5
    while api.gateway.watcher.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_pages_hold_every_job_once_newest_first(api: Api) -> None:
    ids = [api.accepted() for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = api.get("/v1/jobs", limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [job["id"] for job in page["jobs"]]
        if len(seen) == 3:
            api.accepted()  # what comes in meanwhile moves nothing
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


def test_a_full_last_page_has_no_next_one(api: Api) -> None:
    for _ in range(2):
        api.accepted()
    assert api.get("/v1/jobs", limit=2).json()["next_cursor"] is None


def test_lists_are_filtered_by_kind_and_status(api: Api) -> None:
    queued, done = api.accepted(), api.accepted()
    api.run_stages(done)
    verification = api.post("/v1/verifications", {"anchor": PHOTO, "image": PHOTO}).json()["id"]

    def listed(**filters: str) -> list[str]:
        return [job["id"] for job in api.get("/v1/jobs", **filters).json()["jobs"]]

    assert listed(kind="verification") == [verification]
    assert listed(status="succeeded") == [done]
    assert listed(status="queued", kind="detection") == [queued]
    assert listed(status="failed") == []


def test_a_cancelled_job_has_ended(api: Api) -> None:
    job_id = api.accepted()
    assert api.gateway.jobs.claim(job_id, "detector", "w", 30)
    view = api.post(f"/v1/jobs/{job_id}/cancel").json()
    assert (view["status"], view["stage"]) == ("cancelled", None)
    assert view["finished_at"] is not None
    problem(api.post(f"/v1/jobs/{job_id}/cancel"), 409, "not_cancellable")
    assert not api.gateway.jobs.renew(job_id, "w", 30)


def test_a_job_cancelled_between_two_stages_leaves_no_chips(api: Api) -> None:
    job_id = api.accepted(analyze="age")
    api.gateway.store.put(f"jobs/{job_id}/chips", b"aligned faces")
    assert api.post(f"/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert api.stored() == [f"jobs/{job_id}/original"]


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "cancelled"])
def test_deleting_removes_job_and_photos_in_every_state(api: Api, state: str) -> None:
    other, job_id = api.accepted(), api.accepted()
    if state == "running":
        assert api.gateway.jobs.claim(job_id, "detector", "w", 30)
    elif state == "succeeded":
        api.run_stages(job_id)
    elif state == "cancelled":
        api.post(f"/v1/jobs/{job_id}/cancel")
    api.gateway.store.put(f"jobs/{job_id}/face-0", b"crop")
    response = api.client.delete(f"/v1/jobs/{job_id}")
    assert response.status_code == 204
    assert response.content == b""
    assert api.stored() == [f"jobs/{other}/original"]
    assert [job["id"] for job in api.get("/v1/jobs").json()["jobs"]] == [other]
    problem(api.get(f"/v1/jobs/{job_id}"), 404, "no_such_job")
    problem(api.get(f"/v1/jobs/{job_id}/images/original"), 404, "no_such_job")
    problem(api.client.delete(f"/v1/jobs/{job_id}"), 404, "no_such_job")
    problem(api.post(f"/v1/jobs/{job_id}/cancel"), 404, "no_such_job")


def test_a_deleted_finished_job_leaves_no_row(api: Api) -> None:
    job_id = api.accepted()
    api.run_stages(job_id)
    api.client.delete(f"/v1/jobs/{job_id}")
    assert api.gateway.jobs.existing([job_id]) == set()


def test_a_worker_cannot_finish_what_was_deleted(api: Api) -> None:
    job_id = api.accepted()
    assert api.gateway.jobs.claim(job_id, "detector", "w", 30)
    api.client.delete(f"/v1/jobs/{job_id}")
    jobs = api.gateway.jobs
    assert not jobs.finish_stage(job_id, "w", next_stage=None, result={}, timings_ms={}, models={})
    with pytest.raises(NoSuchJob):
        jobs.get(job_id)


def test_a_failed_job_says_why(api: Api) -> None:
    job_id = api.accepted()
    jobs = api.gateway.jobs
    assert jobs.claim(job_id, "detector", "w", 30)
    assert jobs.fail(job_id, "w", {"code": "image_corrupt", "detail": "cut off"}, {})
    view = api.get(f"/v1/jobs/{job_id}").json()
    assert view["status"] == JobStatus.FAILED
    assert view["error"] == {
        "code": "image_corrupt",
        "title": ImageCorrupt.title,
        "detail": "cut off",
        "advice": ImageCorrupt.advice,
        "about_photo": True,
    }
    assert view["result"] is None
