"""Images through the gateway: right type, cacheable, and never anything but an image."""

from __future__ import annotations

import numpy as np
import pytest

from services.common.photos.imaging import decode
from tests.photos import astronaut_rgb, jpeg
from tests.unit.services.gateway.conftest import PHOTO, Api, problem

FACE = {
    "index": 0,
    "box": {"x": 180.0, "y": 60.0, "width": 90.0, "height": 120.0},
    "confidence": 0.9,
    "landmarks": {
        "left_eye": [205.0, 110.0],
        "right_eye": [245.0, 108.0],
        "nose": [225.0, 130.0],
        "left_mouth": [210.0, 152.0],
        "right_mouth": [242.0, 150.0],
    },
    "crop_url": "/v1/jobs/x/images/face-0",
}


def finished(api: Api) -> str:
    job_id = api.accepted()
    api.gateway.store.put(f"jobs/{job_id}/face-0", jpeg(astronaut_rgb()[:64, :64]))
    api.gateway.store.put(f"jobs/{job_id}/chips", b"\x93NUMPY")
    api.run_stages(job_id, {"image": {"width": 512, "height": 512, "url": "/x"}, "faces": [FACE]})
    return job_id


def test_originals_and_crops(api: Api) -> None:
    job_id = finished(api)
    original = api.get(f"/v1/jobs/{job_id}/images/original")
    assert original.content == PHOTO
    assert original.headers["content-type"] == "image/jpeg"
    assert original.headers["x-content-type-options"] == "nosniff"
    assert "private" in original.headers["cache-control"]
    assert original.headers["content-disposition"].startswith("inline")
    assert api.get(f"/v1/jobs/{job_id}/images/face-0").status_code == 200


def test_an_image_to_save(api: Api) -> None:
    job_id = finished(api)
    headers = api.get(f"/v1/jobs/{job_id}/images/face-0", download=True).headers
    assert headers["content-disposition"] == f'attachment; filename="facekit-{job_id}-face-0.jpg"'


def test_an_image_is_sent_once(api: Api) -> None:
    job_id = finished(api)
    for name in ("original", "annotated", "thumbnail"):
        path = f"/v1/jobs/{job_id}/images/{name}"
        etag = api.get(path).headers["etag"]
        again = api.client.get(path, headers={"if-none-match": f'"other", {etag}'})
        assert again.status_code == 304
        assert again.content == b""


def test_the_annotated_picture_shows_the_box(api: Api) -> None:
    job_id = finished(api)
    response = api.get(f"/v1/jobs/{job_id}/images/annotated")
    assert response.headers["content-type"] == "image/jpeg"
    drawn = decode(response.content, 10**6)
    assert drawn.shape == (512, 512, 3)
    change = abs(drawn.astype(int) - astronaut_rgb()).max(axis=2)
    assert change[100, 180] > 60  # on the left edge of the box
    assert change[400, 400] < 40


def test_a_thumbnail_is_the_upright_photo_made_small(api: Api) -> None:
    wide = np.zeros((900, 1500, 3), dtype=np.uint8)
    wide[:, :750] = (200, 30, 30)  # the left half is red
    turned = jpeg(np.ascontiguousarray(np.rot90(wide)), orientation=6)  # stored a quarter turn to the left
    response = api.post("/v1/verifications", {"anchor": PHOTO, "image": turned})
    assert response.status_code == 202, response.text
    images = f"/v1/jobs/{response.json()['id']}/images"
    small = api.get(f"{images}/thumbnail")
    assert small.headers["content-type"] == "image/jpeg" and "private" in small.headers["cache-control"]
    shown = decode(small.content, 10**6)
    assert shown.shape == (307, 512, 3)
    assert abs(shown[150, 100].astype(int) - (200, 30, 30)).max() < 12 and shown[150, 400].max() < 12
    anchor = decode(api.get(f"{images}/anchor-thumbnail").content, 10**6)
    assert anchor.shape == (512, 512, 3) and abs(anchor.astype(int) - astronaut_rgb()).mean() < 4


def test_no_thumbnail_of_a_photo_that_is_not_there(api: Api) -> None:
    job_id = finished(api)
    problem(api.get(f"/v1/jobs/{job_id}/images/anchor-thumbnail"), 404, "no_such_image")
    api.gateway.store.delete(f"jobs/{job_id}/original")
    problem(api.get(f"/v1/jobs/{job_id}/images/thumbnail"), 404, "no_such_image")


def test_no_annotated_picture_before_the_result(api: Api) -> None:
    problem(api.get(f"/v1/jobs/{api.accepted()}/images/annotated"), 404, "no_such_image")


@pytest.mark.parametrize(
    "name", ["face-1", "chips", "Original", "..%2Foriginal", "preview", "face-", "face-thumbnail", "%00", "a" * 300]
)
def test_what_is_no_image_of_the_job(api: Api, name: str) -> None:
    problem(api.get(f"/v1/jobs/{finished(api)}/images/{name}"), 404, "not_found" if "%2F" in name else "no_such_image")


def test_an_object_that_is_no_picture_is_not_served(api: Api) -> None:
    job_id = finished(api)
    api.gateway.store.put(f"jobs/{job_id}/preview", b"<script>alert(1)</script>")
    problem(api.get(f"/v1/jobs/{job_id}/images/preview"), 404, "no_such_image")
