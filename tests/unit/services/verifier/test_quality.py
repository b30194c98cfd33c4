"""A poor face is told by its right name: dark, flat, blurred, small, turned away or cut off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.schemas import QualityReason
from services.common.stages.verifier import FaceToCompare
from services.verifier.quality import QualityLimits, assess, inside, sharpness, turn
from tests.unit.services.verifier.faces import face

LIMITS = QualityLimits(
    min_face_px=20, min_anchor_px=40, min_sharpness=0.44, min_brightness=22, min_contrast=8, min_inside=0.7
)


def chip() -> NDArray[np.uint8]:
    """A picture with the contrast and texture of a face: a few broad patches of light, and fine detail on them."""
    rng = np.random.default_rng(3)
    patches, detail = rng.integers(40, 216, (5, 5, 3)), rng.integers(-40, 41, (60, 60, 3))
    parts = [
        cv2.resize(part.astype(np.float32), (160, 160), interpolation=cv2.INTER_CUBIC) for part in (patches, detail)
    ]
    return np.clip(parts[0] + parts[1], 0, 255).astype(np.uint8)


def darkened(share: float) -> NDArray[np.uint8]:
    return (chip() * share).astype(np.uint8)


def flat() -> NDArray[np.uint8]:
    return (chip() * 0.08 + 120).astype(np.uint8)


@pytest.mark.parametrize(
    ("of", "where", "reasons"),
    [
        (chip(), face(), []),
        (darkened(0.3), face(), []),
        (darkened(0.1), face(), ["too_dark"]),
        (flat(), face(), ["low_contrast"]),
        (cv2.GaussianBlur(chip(), (0, 0), 9), face(), ["too_blurred"]),
        (chip(), face(15), ["too_small"]),
        (chip(), face(nose=1.3), ["turned_away"]),
        (chip(), face(left=-50), ["cut_off"]),
        (darkened(0.1), face(15), ["too_small", "too_dark"]),
    ],
)
def test_a_poor_face_is_named(of: NDArray[np.uint8], where: FaceToCompare, reasons: list[QualityReason]) -> None:
    said = assess(of, where, LIMITS)
    assert said.reasons == reasons
    assert said.low is bool(set(reasons) - {"turned_away"})


def test_an_anchor_needs_more_pixels() -> None:
    assert assess(chip(), face(30), LIMITS).reasons == []
    assert assess(chip(), face(30), LIMITS, anchor=True).reasons == ["too_small"]


def test_light_does_not_blur() -> None:
    assert sharpness(darkened(0.3)) == pytest.approx(sharpness(chip()), rel=0.1)


@pytest.mark.parametrize("nose", [0.5, 0.2, 0.8])
def test_turn_is_counted_in_eye_distances_from_the_middle(nose: float) -> None:
    assert turn(face(nose=nose).landmarks) == pytest.approx(abs(nose - 0.5), abs=1e-6)


def test_a_face_in_the_middle_is_whole() -> None:
    assert inside(face()) == 1.0
    assert 0.3 < inside(face(left=-40)) < 0.8
