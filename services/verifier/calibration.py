"""From similarities of known pairs to what the API answers with: a probability, and error rates by threshold.

Defined once: the trainer calibrates its own networks by it, `scripts.trunk` those of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Labels = NDArray[np.bool_]

NEWTON_STEPS: Final = 50
LEAST_GAIN: Final = 1e-12
RIDGE: Final = 1e-9  # keeps the two equations solvable where nearly all pairs are certain


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

    Damped Newton steps after Lin, Lin and Weng (2007). Raises ValueError when similarity does not rise with sameness:
    such scores cannot be calibrated monotonically.
    """
    scores = similarity.astype(np.float64)
    genuine, impostor = int(same.sum()), int((~same).sum())
    if not genuine or not impostor:
        raise ValueError("pairs of one person and pairs of two are both needed")
    target = np.where(same, (genuine + 1) / (genuine + 2), 1 / (impostor + 2))
    weight = np.where(same, 0.5 / genuine, 0.5 / impostor)
    inputs = np.stack([scores, np.ones_like(scores)])  # (2, N)

    def loss(parameters: NDArray[np.float64]) -> float:
        logit = parameters @ inputs
        return float(weight @ (np.logaddexp(0, logit) - target * logit))

    parameters, best = np.zeros(2), loss(np.zeros(2))
    for _ in range(NEWTON_STEPS):
        probability = 0.5 * (1 + np.tanh(parameters @ inputs / 2))
        gradient = inputs @ (weight * (probability - target))
        curvature = (inputs * (weight * probability * (1 - probability))) @ inputs.T + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        scale = 1.0
        while (reached := loss(parameters - scale * step)) > best and scale > 1e-6:
            scale /= 2
        gain, parameters, best = best - reached, parameters - scale * step, reached
        if gain < LEAST_GAIN:
            break
    if not parameters[0] > 0:
        raise ValueError("pairs of one person are not more alike than pairs of two: nothing to calibrate")
    return Platt(float(parameters[0]), float(parameters[1]))


def accepted(scores: Scores, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,): the share of scores at or above each threshold."""
    ordered = np.sort(scores.astype(np.float64))
    return 1 - np.searchsorted(ordered, thresholds) / len(ordered)
