"""The shipped verifier: what a user may rely on, whatever the weights."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.errors import BundleInvalid, GoldenMismatch
from services.common.inference.boxes import align_face
from services.common.inference.bundle import load_bundle, replay_golden
from services.verifier.model import FaceVerifier
from services.verifier.quality import assess
from tests.device import DEVICE
from tests.photos import astronaut_rgb
from tests.unit.services.verifier.faces import face

BUNDLE = Path(__file__).parents[4] / "services/verifier/model"
ASTRONAUT_XY = np.array([[202, 103], [246, 102], [222, 128], [204, 148], [244, 146]], dtype=np.float32)
MIRRORED_ORDER = [1, 0, 2, 4, 3]


@pytest.fixture(scope="module")
def model() -> FaceVerifier:
    return FaceVerifier(load_bundle(BUNDLE), threads=1, device=DEVICE)


def astronaut_chip() -> NDArray[np.uint8]:
    return align_face(astronaut_rgb(), ASTRONAUT_XY)


def noisy_chips(count: int) -> NDArray[np.uint8]:
    """Smooth pictures of no face, all different."""
    coarse = np.random.default_rng(5).integers(0, 256, (count, 10, 10, 3)).astype(np.uint8)
    return np.stack([cv2.resize(chip, (160, 160), interpolation=cv2.INTER_CUBIC) for chip in coarse])


def mirrored() -> NDArray[np.uint8]:
    photo = np.ascontiguousarray(astronaut_rgb()[:, ::-1])
    points = ASTRONAUT_XY * (-1, 1) + (photo.shape[1] - 1, 0)
    return align_face(photo, points[MIRRORED_ORDER].astype(np.float32))


def re_encoded() -> NDArray[np.uint8]:
    jpeg = cv2.imencode(".jpg", astronaut_rgb(), [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return align_face(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), ASTRONAUT_XY)


def resized() -> NDArray[np.uint8]:
    photo = cv2.resize(astronaut_rgb(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return align_face(photo, (ASTRONAUT_XY + 0.5) * 0.5 - 0.5)


def rotated() -> NDArray[np.uint8]:
    turn = cv2.getRotationMatrix2D((225, 120), 10, 1)
    photo = cv2.warpAffine(astronaut_rgb(), turn, (512, 512))
    return align_face(photo, (ASTRONAUT_XY @ turn[:, :2].T + turn[:, 2]).astype(np.float32))


def detected_elsewhere() -> NDArray[np.uint8]:
    """As if the detector had put the points 2 px off."""
    return align_face(astronaut_rgb(), ASTRONAUT_XY + np.float32([[2, -2], [-2, 2], [2, 2], [-1, 1], [2, 0]]))


def test_golden_outputs_are_reproduced(model: FaceVerifier) -> None:
    replay_golden(load_bundle(BUNDLE), model.replay)
    model.warm_up()


def test_another_preprocessing_fails_loudly(model: FaceVerifier) -> None:
    with pytest.raises(GoldenMismatch):
        replay_golden(load_bundle(BUNDLE), lambda image: model.replay(np.ascontiguousarray(image[..., ::-1])))


def test_the_bundle_is_small(model: FaceVerifier) -> None:
    assert (BUNDLE / "model.onnx").stat().st_size <= 14_000_000


def test_the_same_face_is_certain(model: FaceVerifier) -> None:
    vectors = model.embed(np.stack([astronaut_chip()] * 2))
    similarity = float(model.similarity(vectors[0], vectors[1:])[0])
    assert similarity == pytest.approx(1.0, abs=1e-5)
    assert model.probability(similarity) >= 0.99


def grey() -> NDArray[np.uint8]:
    chip = cv2.cvtColor(astronaut_chip(), cv2.COLOR_RGB2GRAY)
    return np.repeat(chip[:, :, None], 3, axis=2)


def darkened() -> NDArray[np.uint8]:
    return (astronaut_chip() * 0.3).astype(np.uint8)


@pytest.mark.parametrize("copy", [mirrored, re_encoded, resized, rotated, detected_elsewhere, grey, darkened])
def test_copies_of_a_photo_match(model: FaceVerifier, copy: object) -> None:
    assert callable(copy)
    vectors = model.embed(np.stack([astronaut_chip(), copy()]))
    similarity = float(model.similarity(vectors[0], vectors[1:])[0])
    assert similarity >= model.threshold_for_far(None).value
    assert model.probability(similarity) > 0.9


def test_symmetric_and_of_unit_length(model: FaceVerifier) -> None:
    vectors = model.embed(np.concatenate([noisy_chips(5), astronaut_chip()[None]]))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    there = model.similarity(vectors[0], vectors[1:])
    back = np.array([model.similarity(vector, vectors[:1])[0] for vector in vectors[1:]])
    assert np.array_equal(there, back)
    assert there.min() >= -1 and there.max() <= 1


def test_deterministic_and_the_same_in_any_batch(model: FaceVerifier) -> None:
    chips = noisy_chips(37)
    together = model.embed(chips)
    assert np.array_equal(together, model.embed(chips))
    one_by_one = np.concatenate([model.embed(chip[None]) for chip in chips])
    assert np.abs(together - one_by_one).max() < 1e-4


def test_no_faces_to_compare_is_no_error(model: FaceVerifier) -> None:
    nothing = model.embed(np.zeros((0, 160, 160, 3), dtype=np.uint8))
    anchor = model.embed(astronaut_chip()[None])[0]
    assert nothing.shape == (0, len(anchor))
    assert model.similarity(anchor, nothing).shape == (0,)


def test_chips_of_another_shape_are_refused(model: FaceVerifier) -> None:
    with pytest.raises(ValueError, match="expected uint8 chips"):
        model.embed(np.zeros((1, 112, 112, 3), dtype=np.uint8))


def test_thresholds_say_what_was_measured(model: FaceVerifier) -> None:
    default = model.threshold_for_far(None)
    assert default.far <= 0.01 and 0 < default.frr < 1
    rows = model.thresholds
    assert all(a.value < b.value and a.far >= b.far and a.frr <= b.frr for a, b in pairwise(rows))
    assert model.threshold_for_far(0.1).value <= default.value <= model.threshold_for_far(0.0001).value
    assert model.rates_at(default.value) == default
    assert model.rates_at(1.0).far == 0 and model.rates_at(-1.0).far == 1
    assert model.threshold_for_far(1.0).far <= 1


def test_probability_rises_with_similarity(model: FaceVerifier) -> None:
    said = [model.probability(value) for value in np.linspace(-1, 1, 41)]
    assert said == sorted(said) and said[0] > 0 and said[-1] < 1


def test_the_astronaut_is_good_enough_and_a_smear_is_not(model: FaceVerifier) -> None:
    sharp = astronaut_chip()
    assert assess(sharp, face(), model.limits).reasons == []
    assert assess(cv2.GaussianBlur(sharp, (0, 0), 9), face(), model.limits).reasons == ["too_blurred"]
    assert assess((sharp * 0.04).astype(np.uint8), face(), model.limits).reasons == ["too_dark"]


def test_a_bundle_without_calibration_is_refused() -> None:
    bundle = load_bundle(BUNDLE)
    bare = dataclasses.replace(bundle, meta=bundle.meta.model_copy(update={"calibration": {}}))
    with pytest.raises(BundleInvalid, match=bundle.meta.label):
        FaceVerifier(bare, threads=1)
