"""Decoded samples to one convention: uint8 RGB, upright, transparency on white."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

BLOCK_ROWS: Final = 256  # blending needs 16 bits a sample: a block at a time keeps a large photo's memory flat


def flatten(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4), of 8 or 16 bits, to RGB of 8. Raises ValueError for others."""
    if samples.dtype not in (np.uint8, np.uint16) or samples.ndim not in (2, 3):
        raise ValueError(f"samples of type {samples.dtype} and shape {samples.shape} are not supported")
    if samples.dtype == np.uint8 and samples.shape[2:] == (3,):
        return np.ascontiguousarray(samples)
    flat = np.empty((*samples.shape[:2], 3), dtype=np.uint8)
    for row in range(0, len(samples), BLOCK_ROWS):
        part = samples[row : row + BLOCK_ROWS]
        if part.dtype == np.uint16:
            part = (part >> 8).astype(np.uint8)
        if part.ndim == 2:
            part = part[:, :, None]
        elif part.shape[2] == 4:
            alpha = part[:, :, 3:].astype(np.uint16)
            part = (part[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
        flat[row : row + BLOCK_ROWS] = part
    return flat


def exif_orientation(exif_block: bytes) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    exif = Image.Exif()
    try:
        exif.load(exif_block)
        value = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged metadata is no reason to refuse a whole picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The picture turned and mirrored as EXIF orientation 1 to 8 says."""
    turned = pixels.transpose(1, 0, 2) if orientation >= 5 else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)
