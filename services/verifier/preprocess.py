"""Chips → what a tower's graph is fed. Defined here once; the trainer imports it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import InputSpec


def shrink_chips(chips: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Chips (N, 160, 160, 3) scaled by area averaging to (N, side, side, 3)."""
    if side_px == chips.shape[1]:
        return chips
    small = np.empty((len(chips), side_px, side_px, 3), dtype=np.uint8)
    for index, chip in enumerate(chips):
        cv2.resize(chip, (side_px, side_px), dst=small[index], interpolation=cv2.INTER_AREA)
    return small


def tower_input(chips: NDArray[np.uint8], spec: InputSpec, chip_side_px: int) -> NDArray[np.float32]:
    """The centre of each chip, scaled and normalised as the bundle says.

    chips uint8 (N, 160, 160, 3) RGB are shrunk to `chip_side_px`, cut to the graph's height and width around the
    centre and normalised to (x / scale - mean) / std: float32 (N, 3, height, width), or (N, height, width, 3).
    Raises ValueError for chips of another shape or type.
    """
    if chips.ndim != 4 or chips.shape[1:] != (CHIP_SIZE_PX, CHIP_SIZE_PX, 3) or chips.dtype != np.uint8:
        raise ValueError(
            f"expected uint8 chips (N, {CHIP_SIZE_PX}, {CHIP_SIZE_PX}, 3), got {chips.dtype} {chips.shape}"
        )
    top, left = (chip_side_px - spec.height_px) // 2, (chip_side_px - spec.width_px) // 2
    if min(top, left) < 0:
        raise ValueError(f"the graph wants {spec.width_px}x{spec.height_px}, chips are shrunk to {chip_side_px}")
    core = shrink_chips(chips, chip_side_px)[:, top : top + spec.height_px, left : left + spec.width_px]
    pixels = core[..., ::-1] if spec.channels == "bgr" else core
    per_channel: tuple[int, ...] = (-1,)
    if spec.layout == "nchw":
        pixels, per_channel = pixels.transpose(0, 3, 1, 2), (-1, 1, 1)
    normal = np.ascontiguousarray(pixels, dtype=np.float32)  # a copy in the graph's order: the rest happens in place
    normal /= np.float32(spec.scale)
    normal -= np.asarray(spec.mean, np.float32).reshape(per_channel)
    normal /= np.asarray(spec.std, np.float32).reshape(per_channel)
    return normal
