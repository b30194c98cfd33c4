"""Several photos of a person make one answer, in which a poor photo counts little and a hopeless one nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.schemas import Quality
from services.verifier.template import mean_template, similarity_to_set, weight


def photos_of(person: NDArray[np.float64], count: int, noise: float, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    vectors = person + rng.normal(0, noise, (count, len(person)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_more_photos_make_a_surer_template() -> None:
    person = np.random.default_rng(0).normal(0, 1, 64)
    probe = photos_of(person, 50, 1.0, 1)
    likeness = [
        float((probe @ mean_template(photos_of(person, count, 1.0, 2), np.ones(count, np.float32))).mean())
        for count in (1, 3, 10)
    ]
    assert likeness == sorted(likeness) and likeness[-1] > likeness[0] + 0.1


def test_a_poor_photo_counts_less() -> None:
    good, poor = np.eye(2, dtype=np.float32)
    template = mean_template(np.stack([good, poor]), np.array([1.0, 0.2], np.float32))
    assert template @ good > 0.9 and np.linalg.norm(template) == pytest.approx(1)
    alone = mean_template(np.stack([good, poor]), np.array([1.0, 0.0], np.float32))
    assert np.allclose(alone, good)
    with pytest.raises(ValueError, match="good enough"):
        mean_template(np.stack([good, poor]), np.zeros(2, np.float32))


def test_the_best_photo_of_a_set_answers() -> None:
    frontal, profile, other = np.eye(3, dtype=np.float32)
    assert similarity_to_set(np.stack([frontal, profile]), np.stack([profile, other])).tolist() == [1.0, 0.0]


def test_small_and_turned_faces_weigh_less_and_hopeless_ones_nothing() -> None:
    large, small = (Quality(low=False, face_size_px=px, sharpness=5) for px in (200, 24))
    turned = Quality(low=False, face_size_px=200, sharpness=5, reasons=["turned_away"])
    hopeless = Quality(low=True, face_size_px=200, sharpness=0, reasons=["too_blurred"])
    assert weight(large) == 1.0 > weight(small) == 0.5 == weight(turned) > weight(hopeless) == 0.0
