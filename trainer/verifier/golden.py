"""Fixed chips for a bundle's golden.json, made by arithmetic alone: nobody's face is shipped."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import ARCFACE_TEMPLATE_XY, CHIP_MARGIN_PX, CHIP_SIZE_PX


def drawn_chip(skin: tuple[int, int, int], hair: tuple[int, int, int], seed: int) -> NDArray[np.uint8]:
    """A drawn face (160, 160, 3) with features where alignment puts them, and texture to make resizing show."""
    chip = np.full((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), 90, dtype=np.uint8)
    cv2.ellipse(chip, (80, 70), (52, 60), 0, 0, 360, hair, -1)
    cv2.ellipse(chip, (80, 92), (42, 56), 0, 0, 360, skin, -1)
    points = np.round(ARCFACE_TEMPLATE_XY + CHIP_MARGIN_PX).astype(int)
    for x, y in points[:2]:
        cv2.ellipse(chip, (int(x), int(y)), (8, 4), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(chip, (int(x), int(y)), 3, (40, 30, 20), -1)
    cv2.circle(chip, (int(points[2][0]), int(points[2][1])), 5, tuple(int(c * 0.8) for c in skin), -1)
    left, right = points[3], points[4]
    cv2.line(chip, (int(left[0]), int(left[1])), (int(right[0]), int(right[1])), (150, 50, 50), 3)
    noise = np.random.default_rng(seed).integers(-12, 13, chip.shape)
    return np.clip(chip.astype(np.int16) + noise, 0, 255).astype(np.uint8)


def golden_chips() -> dict[str, NDArray[np.uint8]]:
    noise = np.random.default_rng(3).integers(0, 256, (CHIP_SIZE_PX, CHIP_SIZE_PX, 3))
    return {
        "drawn face": drawn_chip((224, 178, 150), (60, 40, 20), 1),
        "another drawn face": drawn_chip((120, 80, 60), (20, 20, 20), 2),
        "noise": noise.astype(np.uint8),  # every pixel matters: shows a changed channel order or resize at once
    }
