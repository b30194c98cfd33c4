"""Every face of a result in one archive, streamed."""

from __future__ import annotations

import dataclasses
import io
import tracemalloc
import zipfile
from typing import Any

from tests.photos import astronaut_rgb, jpeg
from tests.unit.services.gateway.conftest import PHOTO, Api, Start, problem

CROP = jpeg(astronaut_rgb()[:64, :64])
LANDMARKS = {name: [1.0, 2.0] for name in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")}


def face(job_id: str, name: str, index: int = 0) -> dict[str, Any]:
    return {
        "index": index,
        "box": {"x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0},
        "confidence": 0.9,
        "landmarks": LANDMARKS,
        "crop_url": f"/v1/jobs/{job_id}/images/{name}",
    }


def detection(api: Api, count: int, crop: bytes = CROP) -> str:
    """A job that has ended with so many faces."""
    job_id = api.accepted()
    for index in range(count):
        api.gateway.store.put(f"jobs/{job_id}/face-{index}", crop)
    faces = [face(job_id, f"face-{index}", index) for index in range(count)]
    api.run_stages(job_id, {"image": {"width": 512, "height": 512, "url": "/x"}, "faces": faces})
    return job_id


def archive(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in opened.infolist())
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_faces_of_a_detection(api: Api) -> None:
    job_id = detection(api, 11)
    response = api.get(f"/v1/jobs/{job_id}/faces.zip")
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == f'attachment; filename="facekit-{job_id}-faces.zip"'
    assert archive(response.content) == {f"face-{index}.jpg": CROP for index in range(11)}
    assert list(archive(response.content))[-1] == "face-10.jpg", "in the order of the result"


def test_the_faces_of_a_verification_with_the_anchor(api: Api) -> None:
    job_id = api.post("/v1/verifications", {"anchor": PHOTO, "image": PHOTO}).json()["id"]
    for name in ("anchor-face", "face-0"):
        api.gateway.store.put(f"jobs/{job_id}/{name}", CROP)
    photo = {"width": 512, "height": 512, "url": "/x"}
    match = {"face": face(job_id, "face-0"), "similarity": 0.9, "probability": 0.9, "match": True}
    result = {"anchor": photo, "image": photo, "anchor_face": face(job_id, "anchor-face"), "matches": [match]}
    api.run_stages(job_id, {**result, "unmatched": [], "threshold": {"value": 0.4, "far": 0.01, "frr": 0.1}})
    assert set(archive(api.get(f"/v1/jobs/{job_id}/faces.zip").content)) == {"anchor-face.jpg", "face-0.jpg"}


def test_no_faces_make_an_empty_archive(api: Api) -> None:
    assert archive(api.get(f"/v1/jobs/{detection(api, 0)}/faces.zip").content) == {}


def test_a_job_without_result_or_pictures_has_no_archive(api: Api) -> None:
    assert "queued" in problem(api.get(f"/v1/jobs/{api.accepted()}/faces.zip"), 404, "no_such_image")
    job_id = detection(api, 1)
    api.gateway.store.delete(f"jobs/{job_id}/face-0")
    problem(api.get(f"/v1/jobs/{job_id}/faces.zip"), 404, "no_such_image")
    problem(api.get("/v1/jobs/019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071/faces.zip"), 404, "no_such_job")


def test_another_owner_gets_none(start: Start) -> None:
    api = start(api_keys="anna:submit:anna-key-0123456789, ben:submit:ben-key-0123456789")
    anna = dataclasses.replace(api, headers={"x-api-key": "anna-key-0123456789"})
    ben = dataclasses.replace(api, headers={"x-api-key": "ben-key-0123456789"})
    job_id = detection(anna, 1)
    assert anna.get(f"/v1/jobs/{job_id}/faces.zip").status_code == 200
    problem(ben.get(f"/v1/jobs/{job_id}/faces.zip"), 404, "no_such_job")


def test_many_faces_never_lie_in_memory_together(api: Api) -> None:
    job_id = detection(api, 24, b"\xff" * 2**20)
    size = 0
    tracemalloc.start()
    try:
        with api.client.stream("GET", f"/v1/jobs/{job_id}/faces.zip") as response:
            for chunk in response.iter_bytes():
                size += len(chunk)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 24 * 2**20 and most < 8 * 2**20, f"{most} bytes"
