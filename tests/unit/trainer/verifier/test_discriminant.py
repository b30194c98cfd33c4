"""The projection finds the directions in which people differ, and only those."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.verifier.discriminant import DiscriminantConfig, fit_projection, scatters  # noqa: E402

pytestmark = pytest.mark.trainer
CONFIG = DiscriminantConfig(components=12, dimensions=2, shrinkage=0.0)


def made_photos(people: int, photos: int) -> tuple[np.ndarray, np.ndarray]:
    """12 values a photo: people differ in the first two; light, ten times as strong, is in the third."""
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(people), photos)
    features = rng.normal(0, 0.1, (len(person), 12))
    features[:, :2] += rng.normal(0, 1, (people, 2))[person]
    features[:, 2] += rng.normal(0, 10, len(person))
    return features.astype(np.float32), person


def test_people_are_kept_and_light_is_not() -> None:
    features, person = made_photos(200, 4)
    mean, matrix = fit_projection(torch.from_numpy(features), person, CONFIG)
    assert mean == pytest.approx(features.mean(0), abs=1e-4)
    of_people, of_light = np.abs(matrix[:2]).sum(), np.abs(matrix[2]).sum()
    assert of_light < 0.01 * of_people
    unseen, them = made_photos(50, 2)
    vectors = (unseen - mean) @ matrix
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors @ vectors.T
    same = (them[:, None] == them[None, :]) & ~np.eye(len(them), dtype=bool)
    assert similarity[same].mean() > 0.95 and abs(similarity[them[:, None] != them[None, :]].mean()) < 0.1


def test_the_scatters_are_those_the_photos_were_made_with() -> None:
    features, person = made_photos(2000, 3)
    within, between = scatters(features.astype(np.float64), person, photo_limit=8)
    assert np.diag(within)[[0, 2, 5]] == pytest.approx([0.01, 100, 0.01], rel=0.1)
    assert np.diag(between)[:2] == pytest.approx([1, 1], rel=0.1) and abs(between[5, 5]) < 0.001


def test_one_person_with_hundreds_of_photos_does_not_rule() -> None:
    rng = np.random.default_rng(1)
    person = np.concatenate([np.zeros(600, dtype=int), np.repeat(np.arange(1, 101), 2)])
    features = np.where(person[:, None] == 0, rng.normal(0, 5, (800, 3)), rng.normal(0, 1, (800, 3)))
    within, _ = scatters(features, person, photo_limit=8)
    assert np.diag(within) == pytest.approx([1 + 7 / 107 * 24] * 3, rel=0.2)


def test_photos_of_strangers_alone_teach_nobody() -> None:
    with pytest.raises(ValueError, match="two photos"):
        fit_projection(torch.randn(20, 12), np.arange(20), CONFIG)
