"""How small, blurred, dark, flat or cut off a face may be before it cannot be judged: read off what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.verifier.quality import grey_core, sharpness
from trainer.verifier.by_quality import Degrade, Figures, darkened, flattened, shrunk
from trainer.verifier.chips import ChipSet
from trainer.verifier.protocol import Scored

ACCURACY_LOST: Final = 0.02  # more than this below the undegraded pairs, and a face is better not judged
ANCHOR_LOST: Final = 0.005  # an anchor is compared with every face, so that its mistakes count often
ORDINARY_FLAGGED: Final = 0.005  # of ordinary photos, at most this share may be flagged by a measure
JUDGED_SHARE: Final = 0.1  # of pictures at the worst step that is still judged well, what may be flagged


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """As services/verifier/quality.py reads them."""

    min_face_px: float
    min_anchor_px: float
    min_sharpness: float
    min_brightness: float
    min_contrast: float
    min_inside: float


def measure_limits(data: ChipSet, scored: Scored, figures: Figures, clean: float) -> QualityLimits:
    """By each measure the worst step whose accuracy is near `clean`, that of the pairs as they are.

    What a measure says of the lowest tenth of the chips there is the limit, unless ordinary photos are flagged too.
    """
    rows = np.unique(np.concatenate([scored.pairs.first, scored.pairs.second]))
    chips = data.chips[rows]

    def worst_step(measure: str, lost: float = ACCURACY_LOST) -> float:
        steps = sorted(figures[measure], key=float)
        good = [step for step in steps if figures[measure][step]["accuracy"] >= clean - lost]
        return float(min(good, key=float, default=steps[-1]))

    def limit(measured: Callable[[NDArray[np.uint8]], float], degrade: Degrade, step: float) -> float:
        ordinary = np.array([measured(chip) for chip in chips])
        degraded = np.array([measured(degrade(chip, step)) for chip in chips])
        least = min(float(np.quantile(degraded, JUDGED_SHARE)), float(np.quantile(ordinary, ORDINARY_FLAGGED)))
        return round(least, 2)

    smallest = worst_step("face_px")
    return QualityLimits(
        min_face_px=smallest,
        min_anchor_px=worst_step("face_px", ANCHOR_LOST),
        min_sharpness=limit(sharpness, shrunk, smallest),
        min_brightness=limit(lambda chip: float(grey_core(chip).mean()), darkened, worst_step("light")),
        min_contrast=limit(lambda chip: float(grey_core(chip).std()), flattened, worst_step("contrast")),
        min_inside=worst_step("inside"),
    )


def limits_record(limits: QualityLimits, figures: Figures, chip_side_px: int) -> dict[str, Any]:
    """`parameters` of the bundle's model.json, as services/verifier reads it, with what the limits were read off."""
    return {
        "chip_side_px": chip_side_px,
        **asdict(limits),
        "accuracy_by_face_px": {size: entry["accuracy"] for size, entry in figures["face_px"].items()},
    }
