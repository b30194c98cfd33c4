"""Whether a face can be judged at all: how large it really is, how sharp, bright, rich in contrast, turned, whole."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.common.inference.boxes import (
    ARCFACE_TEMPLATE_XY,
    CHIP_CORE_PX,
    CHIP_MARGIN_PX,
    LANDMARK_NAMES,
    similarity_transform,
)
from services.common.schemas import Landmarks, Quality, QualityReason
from services.common.stages.verifier import FaceToCompare

CORE: Final = slice(CHIP_MARGIN_PX, CHIP_MARGIN_PX + CHIP_CORE_PX)
# What rounding to whole grey levels adds to the variance of the Laplacian: 1/12 for each, times the sum of the kernel's
# squares (4 ones and a 4).
ROUNDING_VARIANCE: Final = 20 / 12
LEAST_VARIANCE: Final = 4.0  # of grey levels: a picture with less shows nothing
# So far to the side of the eyes' middle, in eye distances, is the nose of a head turned by 45 degrees: it stands about
# 0.6 eye distances before the plane of the eyes, and tan 45° = 1.
TURNED_45: Final = 0.6


class QualityLimits(BaseModel):
    """`parameters` of model.json that say which faces are too poor. An anchor needs more pixels: every face of the
    second photo is compared with it."""

    model_config = ConfigDict(extra="ignore")
    min_face_px: float = Field(ge=0)
    min_anchor_px: float | None = Field(default=None, ge=0)
    min_sharpness: float = Field(ge=0)
    min_brightness: float = Field(default=0.0, ge=0)
    min_contrast: float = Field(default=0.0, ge=0)
    min_inside: float = Field(default=0.0, ge=0, le=1)
    max_turn: float = Field(default=TURNED_45, gt=0)


def grey_core(chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The face without its margin, grey: (112, 112) of a chip (160, 160, 3)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(chip[CORE, CORE]), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def sharpness(chip: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of the grey levels (Pech-Pacheco et al. 2000, made independent of
    light and contrast), a hundredfold.

    Every chip has the same scale, so values compare: a small face, blown up to the chip, is as smooth as a blurred one.
    """
    grey = grey_core(chip)
    edges = max(float(cv2.Laplacian(grey, cv2.CV_32F).var()) - ROUNDING_VARIANCE, 0.0)
    return 100 * edges / max(float(grey.var()), LEAST_VARIANCE)


def turn(landmarks: Landmarks) -> float:
    """How far the nose stands to the side of the eyes' middle, in eye distances: 0 frontal, TURNED_45 at 45 degrees."""
    left, right, nose = (np.array(point) for point in (landmarks.left_eye, landmarks.right_eye, landmarks.nose))
    across = right - left
    return abs(float((nose - (left + right) / 2) @ across) / max(float(across @ across), 1e-6))


def inside(face: FaceToCompare) -> float:
    """Share of the aligned face that lies on the photo, 0 to 1: less where the photo's edge cuts it off."""
    points = np.array([getattr(face.landmarks, name) for name in LANDMARK_NAMES], np.float32)
    try:
        matrix = similarity_transform(ARCFACE_TEMPLATE_XY, points)
    except ValueError:  # landmarks that coincide: aligned by the box, which lies on the photo
        return 1.0
    grid = np.stack(np.meshgrid(*[np.linspace(0, CHIP_CORE_PX - 1, 15)] * 2), axis=-1).reshape(-1, 2)
    on_photo = grid @ matrix[:, :2].T + matrix[:, 2]
    within = (on_photo >= -0.5) & (on_photo <= np.array([face.photo_width, face.photo_height]) - 0.5)
    return float(within.all(axis=1).mean())


def assess(chip: NDArray[np.uint8], face: FaceToCompare, limits: QualityLimits, *, anchor: bool = False) -> Quality:
    """The measures of one chip (160, 160, 3) and of the face it was cut from, and what is too poor of them.

    `low` leaves `turned_away` out: a turned face that matches is a match, only its "no" says nothing.
    """
    size_px = min(face.box.width, face.box.height)
    grey = grey_core(chip)
    measured = {
        "face_size_px": round(size_px, 1),
        "sharpness": round(sharpness(chip), 2),
        "brightness": round(float(grey.mean()), 1),
        "contrast": round(float(grey.std()), 1),
        "turn": round(turn(face.landmarks), 2),
        "inside": round(inside(face), 2),
    }
    min_px = limits.min_anchor_px if anchor and limits.min_anchor_px is not None else limits.min_face_px
    reasons: list[QualityReason] = []
    if size_px < min_px:
        reasons.append("too_small")
    if measured["brightness"] < limits.min_brightness:
        reasons.append("too_dark")
    elif measured["contrast"] < limits.min_contrast:
        reasons.append("low_contrast")
    if measured["sharpness"] < limits.min_sharpness:
        reasons.append("too_blurred")
    if measured["inside"] < limits.min_inside:
        reasons.append("cut_off")
    low = bool(reasons)
    if measured["turn"] > limits.max_turn:
        reasons.append("turned_away")
    return Quality(low=low, reasons=reasons, **measured)
