"""How good a verifier is on people it never saw: accuracy, ROC, error rates, calibration, and by pose and light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.calibrate import fit_platt, rates_table, threshold_for
from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.lfw import NamedPair
from trainer.verifier.pairs import Pairs, named_pairs
from trainer.verifier.protocol import Scored, embed_rows, joined
from trainer.verifier.scoring import (
    accuracy,
    best_threshold,
    calibration_error,
    equal_error_rate,
    roc_curve,
    true_accepts_at,
)
from trainer.verifier.split import refuse_shared_people

DEFAULT_MAX_FAR = 0.01
HALF_PROFILE = 0.2  # nose offset in eye distances
UNEVEN_LIGHT = 40.0  # grey levels between the two photos' mean


def cross_fitted(first: Scored, second: Scored) -> dict[str, Any]:
    """Figures over both groups; every threshold and probability applied to a group was chosen on the other."""
    right, probabilities, labels, far, tar = [], [], [], [], []
    for chosen_on, measured_on in ((first, second), (second, first)):
        threshold, _ = best_threshold(chosen_on.similarity, chosen_on.same)
        right.append((measured_on.similarity >= threshold) == measured_on.same)
        probabilities.append(fit_platt(chosen_on.similarity, chosen_on.same).probability(measured_on.similarity))
        labels.append(measured_on.same)
        strict = threshold_for(rates_table(chosen_on.genuine, chosen_on.impostors), DEFAULT_MAX_FAR).threshold
        far.append((measured_on.impostors >= strict).mean())
        tar.append((measured_on.genuine >= strict).mean())
    correct = np.concatenate(right)
    both = joined(first, second)
    return {
        "pairs": len(correct),
        "accuracy": _rounded(correct.mean()),
        "accuracy_se": _rounded(np.sqrt(correct.mean() * (1 - correct.mean()) / len(correct))),
        "far_at_threshold_chosen_for_1pct": _rounded(np.mean(far)),
        "tar_at_threshold_chosen_for_1pct": _rounded(np.mean(tar)),
        "ece": _rounded(calibration_error(np.concatenate(probabilities), np.concatenate(labels))),
        **curve_figures(both),
    }


def curve_figures(scored: Scored) -> dict[str, Any]:
    """Figures that choose no threshold beforehand. Low false-accept rates are read off the many impostor pairs."""
    many = np.concatenate([scored.genuine, scored.impostors])
    same = np.arange(len(many)) < len(scored.genuine)
    return {
        "roc_auc": _rounded(roc_curve(scored.similarity, scored.same).area),
        "eer": _rounded(equal_error_rate(scored.similarity, scored.same)),
        "impostor_pairs": len(scored.impostors),
        "tar_at_far_1pct": _rounded(true_accepts_at(many, same, 0.01)),
        "tar_at_far_0.1pct": _rounded(true_accepts_at(many, same, 0.001)),
    }


def by_condition(data: ChipSet, scored: Scored, threshold: float) -> dict[str, dict[str, Any]]:
    """Accuracy at one threshold by pose (from landmarks) and by difference in light (from the chips' mean)."""
    turn = np.array([abs(row.turn) for row in data.rows])
    rows = np.unique(np.concatenate([scored.pairs.first, scored.pairs.second]))
    light = np.zeros(len(data))
    light[rows] = [float(data.chips[row, 24:136, 24:136].mean()) for row in rows]
    turned = np.maximum(turn[scored.pairs.first], turn[scored.pairs.second]) > HALF_PROFILE
    uneven = np.abs(light[scored.pairs.first] - light[scored.pairs.second]) > UNEVEN_LIGHT
    groups: Mapping[str, NDArray[np.bool_]] = {
        "both frontal": ~turned,
        "one turned": turned,
        "similar light": ~uneven,
        "different light": uneven,
    }
    return {
        name: {"pairs": int(chosen.sum()), "accuracy": _accuracy(scored, chosen, threshold)}
        for name, chosen in groups.items()
    }


def on_pairs_file(
    data: ChipSet, embedder: Embedder, pairs: Sequence[NamedPair], threshold: float, trained: Sequence[str]
) -> dict[str, Any]:
    """A pairs file (View 1's `pairsDevTest`, a fold of View 2) at a threshold chosen elsewhere.

    Raises PeopleCrossSplit when a pair shows someone the network was trained on.
    """
    people = {name for pair in pairs for name in (pair.first[0], pair.second[0])}
    refuse_shared_people(trained, people, "the trained people and the pairs file")
    found, missing = named_pairs(pairs, data.row_of())
    similarity = _similarity(data, embedder, found)
    correct = accuracy(similarity, found.same, threshold)
    return {
        "pairs": len(found),
        "pairs_without_photos": missing,
        "accuracy": _rounded(correct),
        "accuracy_se": _rounded(np.sqrt(correct * (1 - correct) / len(found))),
        "roc_auc": _rounded(roc_curve(similarity, found.same).area),
        "eer": _rounded(equal_error_rate(similarity, found.same)),
    }


def _similarity(data: ChipSet, embedder: Embedder, pairs: Pairs) -> NDArray[np.float32]:
    rows = np.unique(np.concatenate([pairs.first, pairs.second]))
    return pairs.similarities(embed_rows(data, embedder, rows))


def _accuracy(scored: Scored, chosen: NDArray[np.bool_], threshold: float) -> float | None:
    if not chosen.any():
        return None
    return _rounded(accuracy(scored.similarity[chosen], scored.same[chosen], threshold))


def _rounded(value: Any) -> float:
    return round(float(value), 4)
