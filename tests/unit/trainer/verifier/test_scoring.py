"""Figures against values worked out by hand, and calibration that means what it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training half needs torch")

from services.verifier.calibration import Platt, fit_platt
from trainer.verifier.calibrate import calibration_record, rates_table
from trainer.verifier.evaluate import by_group, stated_and_measured
from trainer.verifier.pairs import Pairs
from trainer.verifier.protocol import Scored, joined
from trainer.verifier.scoring import (
    accuracy,
    best_threshold,
    calibration_error,
    equal_error_rate,
    roc_curve,
)
from trainer.verifier.strangers import Alike

pytestmark = pytest.mark.trainer

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


def scored(seed: int, groups: dict[str, float]) -> Scored:
    """Groups of strangers whose cosines lie that much higher than those of all strangers."""
    similarity, same = normal_pairs(seed)
    rows = np.arange(len(same))
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(60, 1)
    alike = {
        name: Alike(rng.normal(0.1 + above, 0.1, len(first)).astype(np.float32), first, second, 60)
        for name, above in groups.items()
    }
    return Scored(Pairs(rows, rows, same), similarity, np.sort(similarity[~same]), alike)


def test_threshold_table_counts_what_it_says() -> None:
    half = scored(3, {})
    table = rates_table(half)
    assert (np.diff(table.far) <= 0).all() and (np.diff(table.frr) >= 0).all()
    assert np.array_equal(table.far, table.far_any) and np.array_equal(table.far, table.worst)
    row = table.at(0.01)
    assert table.far[row] <= 0.01 < table.far[row - 1]
    assert table.far[row] == pytest.approx(float((half.impostors >= table.threshold[row]).mean()), abs=1e-6)
    assert table.frr[row] == pytest.approx(float((half.genuine < table.threshold[row]).mean()), abs=1e-6)


def test_false_accepts_mean_strangers_who_look_alike_and_the_worst_group_bounds_them() -> None:
    half = scored(3, {"near": 0.1, "far": 0.0})
    table = rates_table(half)
    loose, strict = table.at(0.01), table.at(0.01, 0.01)
    assert table.far_any[loose] < table.far[loose] <= 0.01 < table.worst[loose]
    assert table.worst[strict] <= 0.01 and table.threshold[strict] > table.threshold[loose]
    record = calibration_record(Platt(20, -6), table, strict, half, people=10)
    assert record["worst_group"] == "near" and record["default_threshold"] == table.threshold[strict]
    row = next(row for row in record["table"] if row["threshold"] == record["default_threshold"])
    assert row["far_any"] < row["far"] <= row["far_worst"] <= 0.01


def test_an_interval_of_a_group_holds_the_rate_and_narrows_with_faces() -> None:
    group = scored(3, {"near": 0.1}).alike["near"]
    low, high = group.interval(0.3)
    assert 0 < low < group.false_accepts(0.3) < high < 1
    both = joined(scored(3, {"near": 0.1}), scored(4, {"near": 0.1})).alike["near"]
    lower, higher = both.interval(0.3)
    assert both.faces == 120 and higher - lower < high - low


def test_what_is_stated_is_measured_on_the_other_half() -> None:
    halves = scored(3, {"near": 0.1, "far": 0.0}), scored(4, {"near": 0.1, "far": 0.0})
    for figures in stated_and_measured(*halves).values():
        assert figures["5%"] == pytest.approx(0.05, rel=0.25)
    groups = by_group(*halves)
    assert groups["worst"] == "near" and groups["groups"]["near"]["high"] < 0.06
    assert groups["all_strangers"] < groups["mean"]
