"""Whatever is wrong with a submission: the right problem, in words, and nothing left in store or table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.common.photos.image_format import ImageFormat
from services.common.settings import Settings
from tests.fuzz.mutants import frame_header
from tests.photos import coffee_rgb, decompression_bomb, jpeg, png
from tests.unit.services.gateway.conftest import PHOTO, Api, Start, problem, served


def gif() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(coffee_rgb()).save(buffer, "GIF")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One gateway for everything that must leave nothing behind."""
    with served(Settings(home=tmp_path_factory.mktemp("refusing"), sweep_interval_s=3600)) as api:
        yield api


PHOTOS: list[tuple[str, bytes, int, str, str]] = [
    ("empty file", b"", 422, "image_empty", "empty"),
    ("text named .jpg", b"these are words, not pixels", 415, "unsupported_format", "text"),
    ("gif", gif(), 415, "unsupported_format", "GIF"),
    ("truncated jpeg", PHOTO[: len(PHOTO) // 2], 422, "image_corrupt", "cut off"),
    ("jpeg cut in its last rows", PHOTO[:-200], 422, "image_corrupt", "cut off"),
    ("truncated png", png(coffee_rgb())[:-5000], 422, "image_corrupt", "cut off"),
    ("decompression bomb", decompression_bomb(), 413, "too_many_pixels", "megapixels"),
    ("two frame headers", PHOTO[:2] + frame_header(16_000, 12_000) + PHOTO[2:], 422, "image_corrupt", "two frame"),
    ("frame behind stray bytes", PHOTO[:20] + b"\x01" + frame_header(16_000, 12_000) + PHOTO[20:], 422, "image_corrupt",
     "two frame"),
    ("just a header", b"\xff\xd8\xff\xe0", 422, "image_corrupt", "JPEG"),
]  # fmt: skip


@pytest.mark.parametrize(("photo", "status", "code", "word"), [case[1:] for case in PHOTOS], ids=[c[0] for c in PHOTOS])
def test_a_bad_photo(refusing: Api, photo: bytes, status: int, code: str, word: str) -> None:
    assert word in problem(refusing.detect(photo), status, code)
    assert word in problem(refusing.post("/v1/verifications", {"anchor": PHOTO, "image": photo}), status, code)
    assert word in problem(refusing.post("/v1/verifications", {"anchor": photo, "image": PHOTO}), status, code)
    assert refusing.stored() == []
    assert refusing.rows() == []


def test_a_file_of_21_megabytes(refusing: Api) -> None:
    photo = PHOTO + bytes(21_000_000 - len(PHOTO))
    assert "20 MB" in problem(refusing.detect(photo), 413, "image_too_large")
    photos = {"anchor": PHOTO, "image": photo}  # within the form's limit of two photos, beyond that of one
    assert "20 MB" in problem(refusing.post("/v1/verifications", photos), 413, "image_too_large")
    assert refusing.stored() == []


def test_a_photo_at_the_limit_is_accepted(start: Start) -> None:
    exact = start(max_upload_bytes=len(PHOTO), max_pixels=512 * 512)
    assert exact.detect().status_code == 202
    assert len(exact.stored()) == 1
    problem(start(max_upload_bytes=len(PHOTO) - 1).detect(), 413, "image_too_large")
    problem(start(max_pixels=512 * 512 - 1).detect(), 413, "too_many_pixels")
    assert len(exact.stored()) == 1


FORMS: list[tuple[str, str, dict[str, bytes], Any, str, str]] = [
    ("wrong photo name", "detections", {"photo": PHOTO}, None, "unexpected_field", "image"),
    ("anchor alone", "verifications", {"anchor": PHOTO}, None, "missing_field", "image"),
    ("image alone", "verifications", {"image": PHOTO}, None, "missing_field", "anchor"),
    ("no photo", "detections", {}, {"analyze": "age"}, "missing_field", "multipart/form-data"),
    ("no body", "detections", {}, None, "missing_field", "image"),
    ("wrong option", "detections", {"image": PHOTO}, {"confidence": "0.5"}, "unexpected_field", "min_confidence"),
    ("option of the other kind", "verifications", {"anchor": PHOTO, "image": PHOTO}, {"analyze": "age"},
     "unexpected_field", "max_far"),
    ("unknown attribute", "detections", {"image": PHOTO}, {"analyze": "age,mood"}, "unknown_attribute",
     "age, gender, ethnicity, emotion"),
    ("confidence too low", "detections", {"image": PHOTO}, {"min_confidence": "0.001"}, "invalid_value", "0.01"),
    ("confidence no number", "detections", {"image": PHOTO}, {"min_confidence": "high"}, "invalid_value", "high"),
    ("confidence not a number", "detections", {"image": PHOTO}, {"min_confidence": "nan"}, "invalid_value", "nan"),
    ("faces none", "detections", {"image": PHOTO}, {"max_faces": "0"}, "invalid_value", "max_faces"),
    ("faces too many", "detections", {"image": PHOTO}, {"max_faces": "1001"}, "invalid_value", "1000"),
    ("option twice", "detections", {"image": PHOTO}, {"max_faces": ["1", "2"]}, "invalid_value", "2 times"),
    ("field too long", "detections", {"image": PHOTO}, {"analyze": "a" * 5000}, "invalid_value", "too long"),
    ("far and threshold", "verifications", {"anchor": PHOTO, "image": PHOTO}, {"max_far": "0.01", "threshold": "0.4"},
     "invalid_value", "not both"),
    ("far zero", "verifications", {"anchor": PHOTO, "image": PHOTO}, {"max_far": "0"}, "invalid_value", "max_far"),
    ("threshold out of range", "verifications", {"anchor": PHOTO, "image": PHOTO}, {"threshold": "1.5"},
     "invalid_value", "threshold"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "photos", "data", "code", "word"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS]
)
def test_a_bad_form(refusing: Api, path: str, photos: dict[str, bytes], data: Any, code: str, word: str) -> None:
    assert word in problem(refusing.post(f"/v1/{path}", photos, data), 422, code)
    assert refusing.stored() == []
    assert refusing.rows() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nphoto.jpg\r\n--b--\r\n', "missing_field"),
        (b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nhalf', "invalid_value"),
        (b"--b\r\nno colon here\r\n\r\n", "invalid_value"),
        (b"--other\r\n\r\n--other--\r\n", "invalid_value"),
        (b"", "missing_field"),
        (b"--b--\r\n", "missing_field"),
    ],
    ids=["image as text", "cut form", "bad part header", "other boundary", "no form", "empty form"],
)
def test_a_broken_form(refusing: Api, body: bytes, code: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    problem(refusing.client.post("/v1/detections", content=body, headers=headers), 422, code)
    assert refusing.stored() == []


def test_the_same_photo_field_twice(refusing: Api) -> None:
    files = [("image", ("a.jpg", PHOTO)), ("image", ("b.jpg", PHOTO))]
    assert "twice" in problem(refusing.client.post("/v1/detections", files=files), 422, "unexpected_field")


def test_a_full_queue(start: Start) -> None:
    api = start(max_queued=2)
    api.accepted()
    api.accepted()
    for headers in ({}, {"Idempotency_Key": "key"}):  # refused before the upload, and at the insert
        response = api.detect(**headers)
        problem(response, 503, "queue_full")
        assert int(response.headers["retry-after"]) > 0
    assert len(api.stored()) == len(api.rows()) == 2


def test_unknown_and_malformed_jobs(refusing: Api) -> None:
    nobody = "01a20a63-8a5f-77a6-bbfe-013a28e68ba7"
    for method, path in (
        ("GET", "/v1/jobs/{}"),
        ("POST", "/v1/jobs/{}/cancel"),
        ("DELETE", "/v1/jobs/{}"),
        ("GET", "/v1/jobs/{}/images/original"),
    ):
        problem(refusing.client.request(method, path.format(nobody)), 404, "no_such_job")
        problem(refusing.client.request(method, path.format("17")), 422, "invalid_job_id")
        problem(refusing.client.request(method, path.format("%F0%9F%98%80")), 422, "invalid_job_id")


def test_unknown_routes_methods_and_parameters(api: Api) -> None:
    problem(api.get("/v1/nothing"), 404, "not_found")
    response = api.client.put("/v1/jobs")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]
    assert "limit" in problem(api.get("/v1/jobs", limit=0), 422, "invalid_value")
    assert "status" in problem(api.get("/v1/jobs", status="done"), 422, "invalid_value")
    problem(api.get("/v1/jobs", cursor="tomorrow"), 422, "invalid_cursor")
    problem(api.get(f"/v1/jobs/{api.accepted()}", wait=-1), 422, "invalid_value")


def test_good_photos_of_every_format_are_accepted(api: Api) -> None:
    import pillow_heif

    heic = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(coffee_rgb())).save(heic)
    avif = io.BytesIO()
    Image.fromarray(coffee_rgb()).save(avif, "AVIF", speed=10)
    webp = io.BytesIO()
    Image.fromarray(coffee_rgb()).save(webp, "WEBP")
    photos = {
        ImageFormat.JPEG: jpeg(coffee_rgb(), orientation=6),
        ImageFormat.PNG: png(coffee_rgb()),
        ImageFormat.WEBP: webp.getvalue(),
        ImageFormat.HEIC: heic.getvalue(),
        ImageFormat.AVIF: avif.getvalue(),
    }
    for image_format, photo in photos.items():
        response = api.detect(photo)
        assert response.status_code == 202, response.text
        image = api.get(f"{response.headers['location']}/images/original")
        assert image.content == photo
        assert image.headers["content-type"] == image_format.media_type


def test_defaults_hold_what_the_design_promises() -> None:
    settings = Settings()
    assert settings.max_upload_bytes == 20_000_000
    assert settings.max_pixels == 64_000_000


def test_noise_is_no_photo(refusing: Api) -> None:
    noise = np.random.default_rng(3)
    for head in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x10\x00\x00WEBP", b"\x00\x00\x00\x18ftypheic"):
        for size in (16, 300, 5000):
            response = refusing.detect(head + noise.bytes(size))
            assert response.status_code in (413, 415, 422), response.text
    assert refusing.stored() == []
