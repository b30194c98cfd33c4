"""Similarity → probability, and the threshold table: what the API answers with, measured on held-out people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from trainer.verifier.scoring import Labels, Scores

TABLE_STEP = 0.005


@dataclass(frozen=True, slots=True)
class Platt:
    """P(same) = 1 / (1 + exp(-(slope * similarity + intercept))), for as many genuine as impostor pairs."""

    slope: float
    intercept: float

    def probability(self, similarity: Scores) -> NDArray[np.float64]:
        logit = self.slope * similarity.astype(np.float64) + self.intercept
        return 0.5 * (1 + np.tanh(logit / 2))


def fit_platt(similarity: Scores, same: Labels) -> Platt:
    """Maximum likelihood with Platt's (1999) softened targets; both kinds of pairs weigh the same in sum.

    Raises ValueError when similarity does not rise with sameness: such scores cannot be calibrated monotonically.
    """
    scores = similarity.astype(np.float64)
    genuine, impostor = int(same.sum()), int((~same).sum())
    target = np.where(same, (genuine + 1) / (genuine + 2), 1 / (impostor + 2))
    weight = np.where(same, 0.5 / genuine, 0.5 / impostor)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit = parameters[0] * scores + parameters[1]
        value = weight @ (np.logaddexp(0, logit) - target * logit)
        slope = weight * (0.5 * (1 + np.tanh(logit / 2)) - target)
        return float(value), np.array([slope @ scores, slope.sum()])

    fitted = minimize(loss, np.array([10.0, -3.0]), jac=True, method="L-BFGS-B").x
    if not fitted[0] > 0:
        raise ValueError("genuine pairs are not more alike than impostor pairs: nothing to calibrate")
    return Platt(float(fitted[0]), float(fitted[1]))


@dataclass(frozen=True, slots=True)
class RatesRow:
    """At this threshold, the share of impostor pairs accepted and of genuine pairs rejected."""

    threshold: float
    far: float
    frr: float


def rates_table(genuine: Scores, impostor: Scores) -> list[RatesRow]:
    """Rates over the whole range of cosines in use, by rising threshold."""
    low = np.floor(min(genuine.min(), impostor.min()) / TABLE_STEP) * TABLE_STEP
    thresholds = np.round(np.arange(low, 1 + TABLE_STEP / 2, TABLE_STEP), 4)
    genuine, impostor = np.sort(genuine), np.sort(impostor)
    far = 1 - np.searchsorted(impostor, thresholds) / len(impostor)
    frr = np.searchsorted(genuine, thresholds) / len(genuine)
    return [
        RatesRow(float(t), round(float(a), 6), round(float(r), 6)) for t, a, r in zip(thresholds, far, frr, strict=True)
    ]


def threshold_for(table: Sequence[RatesRow], max_far: float) -> RatesRow:
    """The lowest threshold with at most `max_far` false accepts."""
    return next((row for row in table if row.far <= max_far), table[-1])


def calibration_record(
    platt: Platt, table: Sequence[RatesRow], default_threshold: float, counts: dict[str, Any]
) -> dict[str, Any]:
    """`calibration` of the bundle's model.json, as services/verifier reads it."""
    return {
        "method": "platt",
        "slope": platt.slope,
        "intercept": platt.intercept,
        "prior": 0.5,
        "default_threshold": default_threshold,
        "measured_on": counts,
        "table": [asdict(row) for row in table],
    }
