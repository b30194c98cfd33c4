"""Figures of a verifier on scored pairs: similarities float (N,) and `same` bool (N,), higher is more alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Roc:
    """False and true accept rates (K,) at falling thresholds (K,); a pair is accepted at similarity >= threshold."""

    thresholds: NDArray[np.float64]
    false_accepts: NDArray[np.float64]
    true_accepts: NDArray[np.float64]

    @property
    def area(self) -> float:
        return float(np.trapezoid(self.true_accepts, self.false_accepts))


def roc_curve(similarity: Scores, same: Labels) -> Roc:
    """Starts at (0, 0) with an infinite threshold. Raises ValueError without pairs of both kinds."""
    if same.all() or not same.any():
        raise ValueError("a ROC needs genuine and impostor pairs")
    order = np.argsort(-similarity, kind="stable")
    scores, labels = similarity[order].astype(np.float64), same[order]
    last_of_equal = np.append(np.diff(scores) != 0, True)
    true = np.cumsum(labels)[last_of_equal] / labels.sum()
    false = np.cumsum(~labels)[last_of_equal] / (~labels).sum()
    return Roc(
        np.concatenate([[np.inf], scores[last_of_equal]]), np.concatenate([[0.0], false]), np.concatenate([[0.0], true])
    )


def accuracy(similarity: Scores, same: Labels, threshold: float) -> float:
    return float(((similarity >= threshold) == same).mean())


def best_threshold(similarity: Scores, same: Labels) -> tuple[float, float]:
    """The threshold of highest accuracy and that accuracy; midway between the two scores it separates."""
    order = np.argsort(similarity, kind="stable")
    scores, labels = similarity[order].astype(np.float64), same[order]
    # Cutting below position i accepts i..N: correct are impostors before it and genuine pairs after.
    correct = np.concatenate([[0], np.cumsum(~labels)]) + np.concatenate([np.cumsum(labels[::-1])[::-1], [0]])
    between = np.concatenate([[scores[0] - 1e-6], (scores[:-1] + scores[1:]) / 2, [scores[-1] + 1e-6]])
    best = int(correct.argmax())
    return float(between[best]), float(correct[best] / len(labels))


def equal_error_rate(similarity: Scores, same: Labels) -> float:
    """Where false accepts and false rejects are as many, interpolated on the ROC."""
    roc = roc_curve(similarity, same)
    gap = roc.false_accepts - (1 - roc.true_accepts)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    span = gap[after] - gap[before]
    share = -gap[before] / span if span > 0 else 0.0
    return float(roc.false_accepts[before] + share * (roc.false_accepts[after] - roc.false_accepts[before]))


def calibration_error(probability: NDArray[np.float64], same: Labels, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): gap of said and seen in equal bins, weighed by their size."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return float(
        sum(
            (which == b).mean() * abs(probability[which == b].mean() - same[which == b].mean())
            for b in range(bins)
            if (which == b).any()
        )
    )


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (N, D) scaled to unit length, so that their products are cosines."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
