"""Whether a face can be judged at all: how many pixels it really has, and how sharp its chip is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_CORE_PX, CHIP_MARGIN_PX
from services.common.schemas import Quality

CORE = slice(CHIP_MARGIN_PX, CHIP_MARGIN_PX + CHIP_CORE_PX)


def sharpness(chip: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the chip's grey core, in squared grey levels (Pech-Pacheco et al. 2000).

    Every chip has the same scale, so values compare: a small face, blown up to the chip, is as smooth as a blurred one.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(chip[CORE, CORE]), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def assess(chip: NDArray[np.uint8], face_size_px: float, min_size_px: float, min_sharpness: float) -> Quality:
    """Measures of one chip (160, 160, 3) cut from a face whose box's shorter side was `face_size_px` in the photo."""
    measured = sharpness(chip)
    reasons = []
    if face_size_px < min_size_px:
        reasons.append("too_small")
    if measured < min_sharpness:
        reasons.append("too_blurred")
    return Quality.model_validate(
        {
            "low": bool(reasons),
            "face_size_px": round(face_size_px, 1),
            "sharpness": round(measured, 1),
            "reasons": reasons,
        }
    )
