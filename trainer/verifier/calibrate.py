"""Similarity → probability, and the threshold table: what the API answers with, measured on held-out people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.verifier.calibration import Platt
from trainer.verifier.protocol import Scored
from trainer.verifier.strangers import mean_false_accepts, worst_false_accepts

TABLE_STEP = 0.005
ALIKE = "strangers of the same gender, ethnicity and age"
ANY = "all strangers"


@dataclass(frozen=True)
class RatesTable:
    """By rising threshold (T,): shares of pairs accepted, of strangers who look alike (`far`: mean of the groups;
    `worst`: the group with most), of all strangers (`far_any`), and of genuine pairs rejected (`frr`).

    Without portraits `far` and `worst` are those of all strangers, since nothing is known of who looks alike.
    """

    threshold: NDArray[np.float64]
    far: NDArray[np.float64]
    far_any: NDArray[np.float64]
    worst: NDArray[np.float64]
    frr: NDArray[np.float64]

    def at(self, max_far: float, max_worst: float = 1.0, *, of_any: bool = False) -> int:
        """The row of the lowest threshold with at most `max_far` false accepts and at most `max_worst` in any group;
        the last row where there is none."""
        far = self.far_any if of_any else self.far
        fits = (far <= max_far) & (self.worst <= max_worst)
        return int(np.argmax(fits)) if fits.any() else len(fits) - 1


def rates_table(scored: Scored) -> RatesTable:
    """Rates over the whole range of cosines in use."""
    genuine, strangers = np.sort(scored.genuine), np.sort(scored.impostors)
    lowest = min([genuine[0], strangers[0], *(group.scores.min() for group in scored.alike.values())])
    first = float(np.floor(float(lowest) / TABLE_STEP) * TABLE_STEP)
    steps = round((1 - first) / TABLE_STEP)
    thresholds: NDArray[np.float64] = np.linspace(first, 1.0, steps + 1).round(4)
    far_any = 1 - np.searchsorted(strangers, thresholds) / len(strangers)
    far = mean_false_accepts(scored.alike, thresholds) if scored.alike else far_any
    worst = worst_false_accepts(scored.alike, thresholds) if scored.alike else far_any
    return RatesTable(thresholds, far, far_any, worst, np.searchsorted(genuine, thresholds) / len(genuine))


def calibration_record(platt: Platt, table: RatesTable, default: int, scored: Scored, people: int) -> dict[str, Any]:
    """`calibration` of the bundle's model.json, as services/verifier reads it; `default` is a row of the table."""
    threshold = float(table.threshold[default])
    groups = {name: group.false_accepts(threshold) for name, group in scored.alike.items()}
    return {
        "method": "platt",
        "slope": platt.slope,
        "intercept": platt.intercept,
        "prior": 0.5,
        "default_threshold": threshold,
        "far_means": ALIKE if scored.alike else ANY,
        "worst_group": max(groups, key=lambda name: groups[name]) if groups else None,
        "measured_on": {
            "people": people,
            "genuine_pairs": len(scored.genuine),
            "impostor_pairs": len(scored.impostors),
            "alike_pairs": sum(len(group.scores) for group in scored.alike.values()),
            "groups": len(scored.alike),
            "pairs": "genuine by LFW's recipe, all pairs of strangers among the held-out people and portraits",
        },
        "table": [
            {
                "threshold": float(t),
                "far": round(float(far), 6),
                "frr": round(float(frr), 6),
                "far_any": round(float(far_any), 6),
                "far_worst": round(float(worst), 6),
            }
            for t, far, frr, far_any, worst in zip(
                table.threshold, table.far, table.frr, table.far_any, table.worst, strict=True
            )
        ],
    }
