"""How small and how blurred a face may be before it cannot be judged: measured by degrading held-out pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.verifier.quality import sharpness
from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.protocol import Scored, embed_rows
from trainer.verifier.scoring import accuracy

FACE_IN_CHIP_PX = 80.0  # shorter side of a detected face's box, at the chip's scale
FACE_SIZES_PX = (8, 10, 12, 14, 16, 20, 24, 32, 48)
MEASURED_PAIRS = 400
ACCURACY_LOST = 0.02  # more than this below the undegraded pairs, and a face is better not judged
SHARP_PHOTOS_FLAGGED = 0.005  # of ordinary photos, at most this share may be called blurred


@dataclass(frozen=True, slots=True)
class QualityLimits:
    min_face_px: float
    min_sharpness: float
    accuracy_by_face_px: dict[str, float]


def measure_limits(data: ChipSet, embedder: Embedder, scored: Scored, threshold: float) -> QualityLimits:
    """Shrinks one photo of every pair to ever fewer pixels; the smallest size that still judges well is the limit.

    Sharpness: what a tenth of the chips at that size fall below, unless that would flag ordinary photos too.
    """
    rows = np.unique(np.concatenate([scored.pairs.first, scored.pairs.second]))
    some = slice(None, None, max(len(scored.pairs) // MEASURED_PAIRS, 1))
    first, second, same = scored.pairs.first[some], scored.pairs.second[some], scored.same[some]
    anchors = embed_rows(data, embedder, np.unique(first))[first]
    seconds = data.chips[second]
    clean = accuracy(scored.similarity[some], same, threshold)
    by_size: dict[str, float] = {}
    sharp_at: dict[int, NDArray[np.float64]] = {}
    for size in FACE_SIZES_PX:
        small = np.stack([degrade(chip, size) for chip in seconds])
        similarity = np.einsum("nd,nd->n", anchors, embedder.embed(small))
        by_size[str(size)] = round(accuracy(similarity, same, threshold), 4)
        sharp_at[size] = np.array([sharpness(chip) for chip in small])
    good = [size for size in FACE_SIZES_PX if by_size[str(size)] >= clean - ACCURACY_LOST]
    limit = min(good, default=FACE_SIZES_PX[-1])
    ordinary = np.array([sharpness(data.chips[row]) for row in rows])
    blurred = min(float(np.quantile(sharp_at[limit], 0.1)), float(np.quantile(ordinary, SHARP_PHOTOS_FLAGGED)))
    return QualityLimits(float(limit), round(blurred, 2), by_size)


def degrade(chip: NDArray[np.uint8], face_px: int) -> NDArray[np.uint8]:
    """The chip as it would come from a photo in which the face is `face_px` wide."""
    side = max(round(chip.shape[0] * face_px / FACE_IN_CHIP_PX), 2)
    small = cv2.resize(np.asarray(chip), (side, side), interpolation=cv2.INTER_AREA)
    size = (chip.shape[1], chip.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def limits_record(limits: QualityLimits, chip_side_px: int) -> dict[str, Any]:
    """`parameters` of the bundle's model.json, as services/verifier reads it."""
    return {
        "chip_side_px": chip_side_px,
        "min_face_px": limits.min_face_px,
        "min_sharpness": limits.min_sharpness,
        "accuracy_by_face_px": dict(limits.accuracy_by_face_px),
    }
