"""How small and how blurred a face may be before it cannot be judged, read off what poor pictures cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.verifier.quality import sharpness
from trainer.verifier.by_quality import Figures, shrunk
from trainer.verifier.chips import ChipSet
from trainer.verifier.protocol import Scored

ACCURACY_LOST: Final = 0.02  # more than this below the undegraded pairs, and a face is better not judged
SHARP_PHOTOS_FLAGGED: Final = 0.005  # of ordinary photos, at most this share may be called blurred


@dataclass(frozen=True, slots=True)
class QualityLimits:
    min_face_px: float
    min_sharpness: float


def measure_limits(data: ChipSet, scored: Scored, figures: Figures, clean: float) -> QualityLimits:
    """The smallest face size whose accuracy is near `clean`, that of the pairs as they are.

    Sharpness: what a tenth of the chips at that size fall below, unless that would flag ordinary photos too.
    """
    sizes = [int(size) for size in figures["face_px"]]
    good = [size for size in sizes if figures["face_px"][str(size)]["accuracy"] >= clean - ACCURACY_LOST]
    limit = min(good, default=sizes[-1])
    rows = np.unique(np.concatenate([scored.pairs.first, scored.pairs.second]))
    ordinary = np.array([sharpness(data.chips[row]) for row in rows])
    small = np.array([sharpness(shrunk(data.chips[row], limit)) for row in rows])
    blurred = min(float(np.quantile(small, 0.1)), float(np.quantile(ordinary, SHARP_PHOTOS_FLAGGED)))
    return QualityLimits(float(limit), round(blurred, 2))


def limits_record(limits: QualityLimits, figures: Figures, chip_side_px: int) -> dict[str, Any]:
    """`parameters` of the bundle's model.json, as services/verifier reads it, with what the limits were read off."""
    return {
        "chip_side_px": chip_side_px,
        "min_face_px": limits.min_face_px,
        "min_sharpness": limits.min_sharpness,
        "accuracy_by_face_px": {size: entry["accuracy"] for size, entry in figures["face_px"].items()},
    }
