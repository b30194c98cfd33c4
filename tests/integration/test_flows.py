"""What a user asks of the whole system: photos in, faces, estimates and matches out, over HTTP, real models."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
import requests
from PIL import Image

from services.common.schemas import ATTRIBUTES
from tests import photos
from tests.integration.stack import Stack


def test_detection_with_all_attributes(stack: Stack) -> None:
    accepted = stack.detect(photos.one_face(), analyze="age,gender,ethnicity,emotion")
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"/v1/jobs/{accepted.json()['id']}"
    assert "Retry-After" in accepted.headers
    job = stack.finished(accepted.json()["id"])
    assert (job["status"], job["stage"], job["progress"], job["error"]) == ("succeeded", None, 1.0, None)
    assert set(job["models"]) == {"detector", *ATTRIBUTES}
    assert {"queued", "detector", "detector_model", "analyzer", "analyzer_model"} <= set(job["timings_ms"])
    assert job["result"]["notice"] is None
    (face,) = job["result"]["faces"]
    box = face["box"]
    assert box["x"] < 225 < box["x"] + box["width"] and box["y"] < 115 < box["y"] + box["height"]
    assert 60 < box["width"] < 160
    for x, y in face["landmarks"].values():
        assert box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"]
    assert face["landmarks"]["left_eye"][0] < face["landmarks"]["right_eye"][0]
    attributes = face["attributes"]
    assert 15 < attributes["age"]["value"] < 75 and attributes["age"]["spread"] > 0
    for name, labels in (("gender", 2), ("ethnicity", 6), ("emotion", 7)):
        scores = attributes[name]["scores"]
        assert len(scores) == labels and sum(scores.values()) == pytest.approx(1, abs=0.01)
        assert attributes[name]["label"] == max(scores, key=lambda label: scores[label])


def test_images_are_served_and_crops_carry_no_exif(stack: Stack) -> None:
    job = stack.finished(stack.detect(photos.jpeg(photos.astronaut_rgb(), orientation=1)).json()["id"])
    urls = [job["result"]["image"]["url"], job["result"]["annotated_url"], job["result"]["faces"][0]["crop_url"]]
    sizes = []
    for url in urls:
        answer = requests.get(stack.url + url, timeout=30)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as picture:
            picture.load()
            sizes.append(picture.size)
            if "face" in url:
                assert not picture.getexif()
    assert sizes[0] == sizes[1] == (512, 512) and max(sizes[2]) < 400
    assert requests.get(stack.url + urls[0].replace("original", "face-7"), timeout=30).json()["code"] == "no_such_image"


def test_what_was_not_asked_is_absent_and_was_not_computed(stack: Stack) -> None:
    plain = stack.finished(stack.detect(photos.one_face()).json()["id"])
    assert plain["result"]["faces"][0]["attributes"] is None
    assert set(plain["models"]) == {"detector"} and "analyzer" not in plain["timings_ms"]
    aged = stack.finished(stack.detect(photos.one_face(), analyze="age").json()["id"])
    attributes = aged["result"]["faces"][0]["attributes"]
    assert attributes["age"] and not any(attributes[name] for name in ("gender", "ethnicity", "emotion"))
    assert set(aged["models"]) == {"detector", "age"}


def test_no_face_is_a_success_with_a_notice(stack: Stack) -> None:
    for asked in ("", "age,emotion"):
        job = stack.finished(stack.detect(photos.no_face(), analyze=asked).json()["id"])
        assert (job["status"], job["result"]["notice"], job["result"]["faces"]) == ("succeeded", "no_faces", [])


def test_thirty_faces_give_thirty_results(stack: Stack) -> None:
    job = stack.finished(stack.detect(photos.thirty_faces(), analyze="gender").json()["id"])
    faces = job["result"]["faces"]
    assert len(faces) == 30 and [face["index"] for face in faces] == list(range(30))
    # Sides are rounded to 0.1 px after sorting, so each is known to within 0.1.
    sides = [(face["box"]["width"], face["box"]["height"]) for face in faces]
    for (width, height), (next_width, next_height) in pairwise(sides):
        assert (width + 0.1) * (height + 0.1) >= (next_width - 0.1) * (next_height - 0.1), "largest first"
    cells = {(int(f["box"]["x"] + f["box"]["width"] / 2) // 160, int(f["box"]["y"] + 40) // 160) for f in faces}
    assert len(cells) == 30
    assert all(face["attributes"]["gender"] for face in faces)
    limited = stack.finished(stack.detect(photos.thirty_faces(), max_faces="3").json()["id"])
    assert [f["box"] for f in limited["result"]["faces"]] == [f["box"] for f in faces[:3]]


@pytest.mark.parametrize(("orientation", "turn"), [(3, 180), (6, 90), (8, 270)])
def test_a_photo_turned_by_exif_gives_upright_boxes(stack: Stack, orientation: int, turn: int) -> None:
    """The pixels lie turned, EXIF says how to turn them back: boxes must be those of the upright picture."""
    tall = np.ascontiguousarray(photos.astronaut_rgb()[:, 60:440])
    lying = np.asarray(Image.fromarray(tall).rotate(turn, expand=True))
    job = stack.finished(stack.detect(photos.jpeg(lying, orientation=orientation)).json()["id"])
    assert (job["result"]["image"]["width"], job["result"]["image"]["height"]) == (380, 512)
    (face,) = job["result"]["faces"]
    assert abs(face["box"]["x"] + face["box"]["width"] / 2 - 165) < 25
    assert abs(face["box"]["y"] + face["box"]["height"] / 2 - 115) < 30


def test_verification_finds_the_anchor_among_faces(stack: Stack) -> None:
    job = stack.finished(stack.verify(photos.one_face(), photos.jpeg(photos.crowd_rgb(1, 3, 220))).json()["id"])
    assert job["status"] == "succeeded", job["error"]
    result = job["result"]
    assert set(job["models"]) == {"detector", "verifier"} and result["notices"] == []
    assert len(result["matches"]) + len(result["unmatched"]) == 3
    assert len(result["matches"]) == 3, "the same person thrice"
    best = result["matches"][0]
    assert best["match"] is True and best["probability"] > 0.9 and best["similarity"] >= result["threshold"]["value"]
    assert 0 <= result["threshold"]["far"] <= 0.01
    assert len(result["thresholds"]) > 5


def test_an_anchor_without_a_face_fails_with_its_code(stack: Stack) -> None:
    job = stack.finished(stack.verify(photos.no_face(), photos.one_face()).json()["id"])
    assert job["status"] == "failed" and job["error"]["code"] == "no_face_in_anchor" and job["result"] is None


def test_a_second_photo_without_faces_matches_nobody(stack: Stack) -> None:
    job = stack.finished(stack.verify(photos.one_face(), photos.no_face()).json()["id"])
    assert job["status"] == "succeeded" and "no_faces" in job["result"]["notices"]
    assert job["result"]["matches"] == [] and job["result"]["unmatched"] == []


def test_several_faces_in_the_anchor_use_the_largest(stack: Stack) -> None:
    both = np.full((520, 800, 3), 90, np.uint8)
    both[:512, :512] = photos.astronaut_rgb()
    both[:160, 600:760] = photos.crowd_rgb(1, 1)
    job = stack.finished(stack.verify(photos.jpeg(both), photos.one_face()).json()["id"])
    assert "several_faces_in_anchor" in job["result"]["notices"]
    assert job["result"]["anchor_face"]["box"]["x"] < 500


def test_deletion_leaves_nothing_behind(stack: Stack) -> None:
    job_id = stack.finished(stack.detect(photos.one_face()).json()["id"])["id"]
    folder = stack.home / "objects" / "jobs" / job_id
    assert folder.exists()
    assert requests.delete(f"{stack.url}/v1/jobs/{job_id}", timeout=30).status_code == 204
    assert requests.get(f"{stack.url}/v1/jobs/{job_id}", timeout=30).json()["code"] == "no_such_job"
    assert not folder.exists()


def test_models_in_use_are_told_with_their_cards(stack: Stack) -> None:
    models = requests.get(f"{stack.url}/v1/models", timeout=30).json()["models"]
    assert {model["task"] for model in models} == {"detector", "verifier", *ATTRIBUTES}
    assert all(model["card"] and model["workers"] == 1 and model["trained_on"] for model in models)
