"""What a good submission becomes: a stored photo, a row, a hint, and one job however often it is sent."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.photos import no_face
from tests.unit.services.gateway.conftest import PHOTO, Api, Start, problem


def test_a_detection_is_accepted(api: Api) -> None:
    response = api.detect(data={"analyze": "emotion, age", "min_confidence": "0.4", "max_faces": "7"})
    assert response.status_code == 202
    view = response.json()
    assert response.headers["location"] == f"/v1/jobs/{view['id']}"
    assert int(response.headers["retry-after"]) >= 1
    assert "idempotent-replayed" not in response.headers
    assert (view["kind"], view["status"], view["stage"], view["result"]) == ("detection", "queued", "detector", None)
    assert view["options"] == {"analyze": ["age", "emotion"], "min_confidence": 0.4, "max_faces": 7}
    assert api.stored() == [f"jobs/{view['id']}/original"]
    assert api.gateway.store.get(api.stored()[0]) == PHOTO
    assert api.get(response.headers["location"]).json() == view


def test_a_verification_is_accepted(api: Api) -> None:
    response = api.post("/v1/verifications", {"anchor": PHOTO, "image": no_face()}, {"max_far": "0.01"})
    assert response.status_code == 202
    view = response.json()
    assert view["options"] == {"max_far": 0.01, "threshold": None, "prior": 0.5}
    store = api.gateway.store
    assert store.get(f"jobs/{view['id']}/anchor") == PHOTO
    assert store.get(f"jobs/{view['id']}/original") == no_face()


@pytest.mark.parametrize(
    ("data", "analyze"),
    [
        (None, []),
        ({"analyze": ""}, []),
        ({"analyze": ["age", "emotion"]}, ["age", "emotion"]),
        ({"analyze": ["age,gender", "age"]}, ["age", "gender"]),
        ({"analyze": " Ethnicity ,"}, ["ethnicity"]),
    ],
)
def test_attributes_come_in_one_field_or_several(api: Api, data: Any, analyze: list[str]) -> None:
    assert api.detect(data=data).json()["options"]["analyze"] == analyze


def test_empty_options_mean_the_defaults(api: Api) -> None:
    options = api.detect(data={"min_confidence": "", "max_faces": ""}).json()["options"]
    assert options == {"analyze": [], "min_confidence": None, "max_faces": 1000}


def test_the_same_key_and_payload_is_the_same_job(api: Api) -> None:
    first = api.detect(data={"analyze": "age,emotion"}, Idempotency_Key="order-1")
    again = api.detect(data={"analyze": ["emotion", "age"]}, Idempotency_Key="order-1")
    assert first.status_code == again.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json()["id"] == first.json()["id"]
    assert len(api.stored()) == len(api.rows()) == 1


@pytest.mark.parametrize("changed", ["photo", "options", "kind"])
def test_the_same_key_with_another_payload_is_refused(api: Api, changed: str) -> None:
    api.detect(Idempotency_Key="order-1")
    if changed == "kind":
        response = api.post("/v1/verifications", {"anchor": PHOTO, "image": PHOTO}, Idempotency_Key="order-1")
    elif changed == "photo":
        response = api.detect(no_face(), Idempotency_Key="order-1")
    else:
        response = api.detect(data={"max_faces": "3"}, Idempotency_Key="order-1")
    problem(response, 422, "idempotency_conflict")
    assert len(api.stored()) == len(api.rows()) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9", "a\tb"])
def test_a_broken_idempotency_key(api: Api, key: str) -> None:
    headers = {"idempotency-key": key.encode("latin-1")}
    response = api.client.post("/v1/detections", files={"image": ("a.jpg", PHOTO)}, headers=headers)
    assert "Idempotency-Key" in problem(response, 422, "invalid_value")
    assert api.stored() == []


def test_a_replay_is_answered_when_the_queue_is_full(start: Start) -> None:
    api = start(max_queued=1)
    first = api.detect(Idempotency_Key="k")
    again = api.detect(Idempotency_Key="k")
    assert again.json()["id"] == first.json()["id"]


def test_one_key_sent_by_many_at_once_makes_one_job(api: Api) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: api.detect(Idempotency_Key="k"), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(api.stored()) == len(api.rows()) == 1


def test_fifty_at_once_are_all_kept(api: Api) -> None:
    with ThreadPoolExecutor(16) as threads:
        ids = list(threads.map(lambda _: api.accepted(), range(50)))
    assert len(set(ids)) == 50
    assert {job.id for job in api.rows()} == set(ids)
    assert len(api.stored()) == 50


def test_a_job_reaches_a_worker(api: Api, tmp_path: Path) -> None:
    job_id = api.accepted()
    heard = tmp_path / "heard"
    url = api.gateway.settings.effective_database_url
    command = [sys.executable, "-m", "tests.contract.consumer", url, "detector", "1", "0", str(heard)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as worker:
        try:
            deadline = time.monotonic() + 20
            while not (heard.exists() and job_id in heard.read_text()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            worker.terminate()


def test_a_large_photo_takes_the_way_over_the_disk(api: Api) -> None:
    """JPEG ignores what stands behind its end, so that a small picture can be a large file."""
    photo = PHOTO + bytes(5_000_000)
    response = api.detect(photo)
    assert response.status_code == 202, response.text
    assert api.gateway.store.get(api.stored()[0]) == photo
    assert api.rows()[0].kind == "detection"


def test_a_stopped_upload_leaves_nothing(api: Api) -> None:
    def body() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + PHOTO
        raise ConnectionError("the user walked away")

    with pytest.raises(ConnectionError):
        api.client.post("/v1/detections", content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert api.accepted()
    assert len(api.stored()) == len(api.rows()) == 1


def test_an_endless_upload_is_cut_off(start: Start) -> None:
    api = start(max_upload_bytes=100_000)
    sent = 0

    def body() -> Any:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + PHOTO
        while sent < 50_000_000:
            sent += 65536
            yield bytes(65536)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    problem(api.client.post("/v1/detections", content=body(), headers=headers), 413, "image_too_large")
    assert api.stored() == []
