"""Figures against values worked out by hand, and calibration that means what it says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from trainer.verifier.calibrate import fit_platt, rates_table, threshold_for
from trainer.verifier.scoring import (
    accuracy,
    best_threshold,
    calibration_error,
    equal_error_rate,
    roc_curve,
    true_accepts_at,
)

SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], dtype=np.float32)
SAME = np.array([True, True, False, True, False, False])


def normal_pairs(seed: int, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Scores for which the true log odds are 20 * similarity - 6."""
    rng = np.random.default_rng(seed)
    same = np.arange(count) < count // 2
    return np.where(same, rng.normal(0.5, 0.1, count), rng.normal(0.1, 0.1, count)).astype(np.float32), same


def test_roc_area_is_the_share_of_pairs_in_order() -> None:
    assert roc_curve(SCORES, SAME).area == pytest.approx(8 / 9)


def test_equal_scores_share_one_point() -> None:
    roc = roc_curve(np.zeros(4, dtype=np.float32), np.array([True, False, True, False]))
    assert roc.area == pytest.approx(0.5) and len(roc.thresholds) == 2


def test_one_kind_of_pair_has_no_roc() -> None:
    with pytest.raises(ValueError, match="genuine and impostor"):
        roc_curve(SCORES, np.ones(6, dtype=bool))


def test_best_threshold_is_best() -> None:
    threshold, best = best_threshold(SCORES, SAME)
    assert best == pytest.approx(5 / 6) == accuracy(SCORES, SAME, threshold)
    assert best_threshold(np.array([0.1, 0.9], dtype=np.float32), np.array([False, True]))[1] == 1.0


def test_equal_error_rate() -> None:
    assert equal_error_rate(SCORES, SAME) == pytest.approx(1 / 3)
    assert equal_error_rate(np.array([0.9, 0.1], dtype=np.float32), np.array([True, False])) == pytest.approx(0)


def test_true_accepts_at_a_false_accept_rate() -> None:
    assert true_accepts_at(SCORES, SAME, 0.0) == pytest.approx(2 / 3)
    assert true_accepts_at(SCORES, SAME, 0.34) == pytest.approx(1.0)


def test_probability_rises_and_is_calibrated_on_other_pairs() -> None:
    platt = fit_platt(*normal_pairs(1))
    grid = platt.probability(np.linspace(-1, 1, 101).astype(np.float32))
    assert (np.diff(grid) >= 0).all() and grid.min() >= 0 and grid.max() <= 1
    assert platt.slope == pytest.approx(40, rel=0.1) and platt.intercept == pytest.approx(-12, rel=0.1)
    similarity, same = normal_pairs(2)
    assert calibration_error(platt.probability(similarity), same) < 0.02


def test_an_unbalanced_sample_gives_the_balanced_answer() -> None:
    similarity, same = normal_pairs(1)
    kept = ~same | (np.arange(len(same)) % 5 == 0)
    assert fit_platt(similarity[kept], same[kept]).intercept == pytest.approx(-12, rel=0.15)


def test_scores_that_tell_nothing_are_refused() -> None:
    similarity, same = normal_pairs(1)
    with pytest.raises(ValueError, match="nothing to calibrate"):
        fit_platt(-similarity, same)


def test_calibration_error_of_an_overconfident_answer() -> None:
    assert calibration_error(np.full(10, 0.95), np.arange(10) < 5) == pytest.approx(0.45)


def test_threshold_table_counts_what_it_says() -> None:
    similarity, same = normal_pairs(3)
    table = rates_table(similarity[same], similarity[~same])
    assert all(a.far >= b.far and a.frr <= b.frr for a, b in pairwise(table))
    row = threshold_for(table, 0.01)
    assert row.far <= 0.01
    assert row.far == pytest.approx(float((similarity[~same] >= row.threshold).mean()), abs=1e-6)
    assert row.frr == pytest.approx(float((similarity[same] < row.threshold).mean()), abs=1e-6)
