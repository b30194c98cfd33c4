"""Small honest photos of every format and kind: what the fuzzer changes, and what the tests of bombs start from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

SIDE_PX = (72, 40)


def picture(width: int = SIDE_PX[0], height: int = SIDE_PX[1], mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    channels = (255 * x / width, 255 * y / height, (37 * x + 91 * y) % 256)
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if name == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, **{"quality": 60, **options})
    else:
        image.save(buffer, name, **options)
    return buffer.getvalue()


@cache
def seeds() -> Mapping[str, tuple[bytes, ...]]:
    """By format: one-scan, progressive, grey, transparent, animated and tiled ones."""
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb, rgba, grey = picture(), picture(mode="RGBA"), picture(mode="L")
    rgba.putalpha(grey)
    moving: dict[str, Any] = {"save_all": True, "append_images": [picture(mode="RGBA").rotate(90)], "duration": 50}
    return {
        "JPEG": (
            encoded(rgb, "JPEG"),
            encoded(rgb, "JPEG", exif=exif.tobytes(), subsampling=0, restart_marker_blocks=2),
            encoded(rgb, "JPEG", progressive=True, exif=exif.tobytes()),
            encoded(grey, "JPEG"),
            encoded(picture(mode="CMYK"), "JPEG"),
            encoded(rgb, "MPO", save_all=True, append_images=[picture(200, 120)]),
        ),
        "PNG": (
            encoded(rgb, "PNG", exif=exif.tobytes()),
            encoded(rgba, "PNG"),
            encoded(rgb.quantize(16), "PNG"),
            encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG"),
            encoded(rgba, "PNG", **moving),
        ),
        "WebP": (
            encoded(rgb, "WEBP", exif=exif.tobytes()),
            encoded(rgba, "WEBP"),
            encoded(rgba, "WEBP", lossless=True),
            encoded(rgba, "WEBP", **moving),
        ),
        "HEIC": (
            encoded(rgb, "HEIF"),
            encoded(rgba, "HEIF"),
            encoded(picture(160, 96), "HEIF", tile_size=64),
            encoded(grey, "HEIF"),
        ),
        "AVIF": (encoded(rgb, "AVIF", speed=10), encoded(rgba, "AVIF", speed=10)),
    }
