"""From the bytes of a photo to pixels: sniffing, limits before decoding, EXIF rotation, one RGB convention.

Each format has one decoder, the same in the gateway and in the workers. What that decoder says of the size, having
opened the file, is held against the limit before any pixel is decoded, and against what has been decoded afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.common.errors import FacekitError, ImageCorrupt, TooManyPixels
from services.common.photos.by_pillow import open_avif, open_png, open_webp
from services.common.photos.encoded import Encoded
from services.common.photos.heif import open_heic
from services.common.photos.image_format import SNIFF_BYTES, ImageFormat, sniff
from services.common.photos.jpeg import encode_jpeg, open_jpeg
from services.common.photos.memory import decoding, out_of_memory
from services.common.photos.pixels import upright

__all__ = ["ImageInfo", "at_most", "check", "decode", "encode_jpeg", "probe"]

REDUCED: Final = (1, 2, 4, 8)  # by which part of its sides a JPEG's decoder can shrink it on the way

_OPENERS: Final[Mapping[ImageFormat, Callable[[bytes], Encoded]]] = {
    ImageFormat.JPEG: open_jpeg,
    ImageFormat.PNG: open_png,
    ImageFormat.WEBP: open_webp,
    ImageFormat.HEIC: open_heic,
    ImageFormat.AVIF: open_avif,
}

T = TypeVar("T")


class ImageInfo(NamedTuple):
    """A photo's format and the size of its upright picture."""

    format: ImageFormat
    width_px: int
    height_px: int


def probe(content: bytes, max_pixels: int) -> ImageInfo:
    """Format and upright size from the header alone; no pixel is decoded.

    Raises ImageEmpty, UnsupportedFormat, ImageCorrupt, TooManyPixels.
    """
    return _opened(content, max_pixels)[0]


def check(content: bytes, max_pixels: int) -> ImageInfo:
    """Says what `decode` would say of the photo, in a fraction of its time and memory where it is a JPEG.

    Raises what `decode` raises.
    """
    info, encoded = _opened(content, max_pixels)
    decoding.within_memory(lambda: _or_corrupt(encoded.prove, info.format))
    return info


def decode(content: bytes, max_pixels: int, *, at_least_px: int | None = None) -> NDArray[np.uint8]:
    """The upright photo, uint8 (height, width, 3) RGB, transparency on white.

    With `at_least_px` a JPEG comes at a half, a quarter or an eighth of its size, as long as its longer side keeps so
    many pixels: in a fraction of the time, for who wants a small picture.
    Raises ImageEmpty, UnsupportedFormat, ImageCorrupt (also for a cut file), TooManyPixels (before decoding) and
    ImageTooCostly.
    """
    info, encoded = _opened(content, max_pixels)
    part = 1
    if at_least_px is not None and info.format is ImageFormat.JPEG:
        part = max((p for p in REDUCED if max(info[1:]) // p >= at_least_px), default=1)
    return decoding.within_memory(
        lambda: _or_corrupt(lambda: upright(encoded.checked(part), encoded.orientation), info.format)
    )


def at_most(image_rgb: NDArray[np.uint8], max_side_px: int) -> NDArray[np.uint8]:
    """The picture, shrunk if its longer side exceeds that."""
    height, width = image_rgb.shape[:2]
    scale = max_side_px / max(height, width)
    if scale >= 1:
        return image_rgb
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(Image.fromarray(image_rgb).resize(size, Image.Resampling.BILINEAR), dtype=np.uint8)


def _opened(content: bytes, max_pixels: int) -> tuple[ImageInfo, Encoded]:
    image_format = sniff(content[:SNIFF_BYTES])
    encoded = _or_corrupt(lambda: _OPENERS[image_format](content), image_format)
    width, height = encoded.width_px, encoded.height_px
    if width < 1 or height < 1:
        raise ImageCorrupt("the picture has no pixels")
    if encoded.allocated_px > max_pixels:
        megapixels, limit = encoded.allocated_px / 1e6, max_pixels / 1e6
        raise TooManyPixels(f"{width}x{height} is {megapixels:.1f} megapixels; at most {limit:g} are accepted")
    if encoded.orientation >= 5:
        width, height = height, width
    return ImageInfo(image_format, width, height), encoded


def _or_corrupt(read: Callable[[], T], image_format: ImageFormat) -> T:
    """Hostile bytes make decoders raise anything: struct.error, SyntaxError, KeyError... Raises ImageCorrupt for it,
    MemoryError where that was the reason."""
    try:
        return read()
    except (FacekitError, MemoryError):
        raise
    except Exception as error:
        if out_of_memory(error):
            raise MemoryError(str(error)) from error
        raise ImageCorrupt(f"the {_name(image_format)} file is cut off or damaged") from error


def _name(image_format: ImageFormat) -> str:
    return "WebP" if image_format is ImageFormat.WEBP else image_format.value.upper()
