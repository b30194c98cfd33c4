"""What a network is worth on a folder's people: pairs, the way to feed it that suits, rates, and a calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scripts.trunk.network import Feeding, Network, NotAFaceNetwork
from scripts.trunk.people import People
from services.verifier.calibration import Platt, Scores, accepted, fit_platt

TABLE_STEP: Final = 0.005
DEFAULT_MAX_FAR: Final = 0.01
LEAST_ACCURACY: Final = 0.6  # of balanced pairs; a coin gives 0.5
CHOSEN_ON: Final = 300  # faces: enough to tell one way of feeding from another


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cosines of all pairs of one person and of all pairs of two."""

    genuine: Scores
    impostor: Scores

    @classmethod
    def of(cls, vectors: NDArray[np.float32], person: NDArray[np.int64]) -> Pairs:
        first, second = np.triu_indices(len(vectors), 1)
        cosines, same = (vectors @ vectors.T)[first, second], person[first] == person[second]
        return cls(cosines[same], cosines[~same])

    def found_at(self, max_far: float) -> float:
        """The share of genuine pairs above so high a threshold that `max_far` of the impostors pass."""
        return float((self.genuine > np.quantile(self.impostor, 1 - max_far)).mean())

    def accuracy(self) -> float:
        """Of as many genuine as impostor pairs, at the best threshold."""
        at: NDArray[np.float64] = np.quantile(self.genuine, np.linspace(0, 1, 201)).astype(np.float64)
        return float(((accepted(self.genuine, at) + 1 - accepted(self.impostor, at)) / 2).max())


@dataclass(frozen=True)
class Calibration:
    """Chosen on one half of the people; `measured` are figures of the other half."""

    platt: Platt
    default_threshold: float
    table: list[dict[str, float]]
    measured: dict[str, Any]


def best_feeding(network: Network, people: People) -> Feeding:
    """The way to feed the network by which it finds most pairs at few false accepts. Raises NotAFaceNetwork when none
    makes people more alike than strangers."""
    some = People(people.chips[:CHOSEN_ON], people.person[:CHOSEN_ON])
    found = []
    for feeding in network.feedings():
        pairs = Pairs.of(network.embed(some.chips, feeding), some.person)
        found.append((pairs.found_at(DEFAULT_MAX_FAR), pairs.accuracy(), feeding))
    _, accuracy, best = max(found, key=lambda each: each[:2])
    if accuracy < LEAST_ACCURACY:
        raise NotAFaceNetwork(
            f"fed in {len(found)} ways, the network tells people from strangers in {accuracy:.0%} at best: give --feed"
        )
    return best


def calibrate(network: Network, feeding: Feeding, people: People) -> Calibration:
    """Fits on the people of even number and measures on the others. Raises ValueError when nothing can be fitted."""
    chosen_on, measured_on = (
        Pairs.of(network.embed(half.chips, feeding), half.person) for half in (people.half(0), people.half(1))
    )
    scores = np.concatenate([chosen_on.genuine, chosen_on.impostor])
    same = np.arange(len(scores)) < len(chosen_on.genuine)
    first = float(np.floor(scores.min() / TABLE_STEP) * TABLE_STEP)
    thresholds: NDArray[np.float64] = np.linspace(first, 1.0, round((1 - first) / TABLE_STEP) + 1).round(4)
    far, frr = accepted(chosen_on.impostor, thresholds), 1 - accepted(chosen_on.genuine, thresholds)
    default = float(thresholds[int(np.argmax(far <= DEFAULT_MAX_FAR))])
    here = np.array([default])
    measured = {
        "people": len(np.unique(people.half(1).person)),
        "genuine_pairs": len(measured_on.genuine),
        "impostor_pairs": len(measured_on.impostor),
        "accuracy": round(measured_on.accuracy(), 4),
        "tar_at_far_1pct": round(measured_on.found_at(0.01), 4),
        "tar_at_far_0.1pct": round(measured_on.found_at(0.001), 4),
        "far_at_default": round(float(accepted(measured_on.impostor, here)[0]), 5),
        "frr_at_default": round(1 - float(accepted(measured_on.genuine, here)[0]), 4),
    }
    rows = [
        {"threshold": float(t), "far": round(float(a), 6), "frr": round(float(r), 6)}
        for t, a, r in zip(thresholds, far, frr, strict=True)
    ]
    return Calibration(fit_platt(scores, same), default, rows, measured)
