"""HEIC by libheif (pillow_heif), which decodes no picture larger than the size its file gives it."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from services.common.errors import ImageCorrupt
from services.common.photos.encoded import Encoded, Pixels
from services.common.photos.pixels import flatten

# Type, version and flags, width, height: what a file says of each of its pictures, before cropping and turning.
_SIZE: Final = re.compile(rb"ispe\x00.{3}(.{4})(.{4})", re.DOTALL)


def open_heic(content: bytes) -> Encoded:
    import pillow_heif  # loads libheif and its codecs: only when a HEIC photo comes

    pillow_heif.options.THUMBNAILS = pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False
    return HeicPicture(pillow_heif.open_heif(content, convert_hdr_to_8bit=True), largest_px(content))


def largest_px(content: bytes) -> int:
    """Pixels of the largest picture in the file, tiles and pictures to be cropped too: none is decoded larger."""
    sizes = [int.from_bytes(wide, "big") * int.from_bytes(high, "big") for wide, high in _SIZE.findall(content)]
    if not sizes:
        raise ImageCorrupt("the file holds no picture")
    return max(sizes)


class HeicPicture(Encoded):
    """libheif turns the picture by its own properties; a HEIC file's EXIF orientation only repeats them."""

    def __init__(self, file: Any, largest_px: int) -> None:
        width, height = file.size
        super().__init__(width, height)
        self.allocated_px = max(width * height, largest_px)
        self._file = file

    def pixels(self, part: int = 1) -> Pixels:
        return flatten(np.asarray(self._file))
