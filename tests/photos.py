"""Photos for tests: the public-domain astronaut that scikit-image bundles, its face-free pictures, and what is made of
them. No private person's photo is needed."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

EXIF_ORIENTATION = 0x0112


@cache
def astronaut_rgb() -> NDArray[np.uint8]:
    """512x512, one face of about 100 px around (225, 120)."""
    return np.asarray(data.astronaut(), dtype=np.uint8)


@cache
def coffee_rgb() -> NDArray[np.uint8]:
    """400x600, no face."""
    return np.asarray(data.coffee(), dtype=np.uint8)


def jpeg(image_rgb: NDArray[np.uint8], quality: int = 92, orientation: int | None = None) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[EXIF_ORIENTATION] = orientation
    Image.fromarray(image_rgb).save(buffer, "JPEG", quality=quality, exif=exif.tobytes() if orientation else b"")
    return buffer.getvalue()


def png(image_rgb: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image_rgb).save(buffer, "PNG")
    return buffer.getvalue()


def crowd_rgb(rows: int, columns: int, tile_px: int = 160) -> NDArray[np.uint8]:
    """rows x columns copies of the astronaut's head, every one lit and mirrored a little differently."""
    head = Image.fromarray(astronaut_rgb()[0:260, 95:355]).resize((tile_px, tile_px), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (columns * tile_px, rows * tile_px), (120, 130, 140))
    for index in range(rows * columns):
        tile = np.asarray(head, dtype=np.float32) * (0.8 + 0.4 * (index % 7) / 6)
        picture = Image.fromarray(np.clip(tile, 0, 255).astype(np.uint8))
        if index % 2:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        canvas.paste(picture, (index % columns * tile_px, index // columns * tile_px))
    return np.asarray(canvas)


def one_face() -> bytes:
    return jpeg(astronaut_rgb())


def no_face() -> bytes:
    return jpeg(coffee_rgb())


def thirty_faces() -> bytes:
    return jpeg(crowd_rgb(5, 6))


def decompression_bomb() -> bytes:
    """A PNG of about 12 KB that claims 100 megapixels."""
    buffer = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
