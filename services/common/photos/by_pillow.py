"""PNG, WebP, AVIF, and JPEGs of rare sampling, by the decoders in Pillow."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from services.common.errors import ImageCorrupt
from services.common.photos.av1_frames import largest_frame_px
from services.common.photos.encoded import Encoded, Pixels
from services.common.photos.heif import largest_px
from services.common.photos.memory import require
from services.common.photos.pixels import BLOCK_ROWS, exif_orientation, flatten
from services.common.photos.png_chunks import clean_png
from services.common.photos.webp_chunks import webp_canvas

# Pillow's own guard only warns at first, and knows one limit a process. The size that its decoder has opened with is
# held against `max_pixels` before anything is loaded, and against what was loaded afterwards.
Image.MAX_IMAGE_PIXELS = None

WEBP_OPEN_BYTES = 8  # a pixel: two canvases of RGBA
WEBP_DECODE_BYTES = 4  # a pixel: what a lossless frame is unpacked to
_TRANSPARENT = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})


class PillowPicture(Encoded):
    """`name` is the format's in Pillow; without `orientation` the file's own EXIF says it."""

    def __init__(self, content: bytes, name: str, orientation: int | None = None) -> None:
        self._image = Image.open(io.BytesIO(content), formats=(name,))
        if orientation is None:
            orientation = exif_orientation(self._image.info.get("exif", b""))
        super().__init__(*self._image.size, orientation)

    def pixels(self, part: int = 1) -> Pixels:
        with self._image as image:
            if part > 1:
                image.draft(None, (max(image.width // part, 1), max(image.height // part, 1)))
            image.load()
            pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
            # Pillow copies a picture twice on its way to an array: a block at a time keeps a large photo's memory flat.
            for top in range(0, image.height, BLOCK_ROWS):
                block = image.crop((0, top, image.width, min(top + BLOCK_ROWS, image.height)))
                pixels[top : top + BLOCK_ROWS] = _rgb(block)
            return pixels


def _rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):
        # 16-bit grey; Pillow would clip it to 8 bits instead of scaling it.
        return flatten(np.asarray(image).astype(np.uint16, copy=False))
    see_through = image.mode in _TRANSPARENT or "transparency" in image.info
    target = "RGBA" if see_through else "RGB"
    return flatten(np.asarray(image if image.mode == target else image.convert(target)))


class WebpPicture(PillowPicture):
    """The canvas is what libwebp allocates, and frames must lie in it; the first one is the photo.

    libwebp says the same of a damaged file and of too little memory, so memory is asked for again by whom it failed.
    """

    def __init__(self, content: bytes) -> None:
        canvas = webp_canvas(content)
        try:
            super().__init__(content, "webp")
        except OSError:
            require(WEBP_OPEN_BYTES * canvas[0] * canvas[1])
            raise
        if (self.width_px, self.height_px) != canvas:
            raise ImageCorrupt("the WebP file says two sizes: readers would see different pictures")

    def pixels(self, part: int = 1) -> Pixels:
        try:
            return super().pixels(part)
        except (OSError, EOFError):
            require(WEBP_DECODE_BYTES * self.allocated_px)
            raise


def open_png(content: bytes) -> Encoded:
    clean, exif = clean_png(content)
    return PillowPicture(clean, "png", exif_orientation(exif))


def open_webp(content: bytes) -> Encoded:
    if len(content) < int.from_bytes(content[4:8], "little") + 8:
        raise ImageCorrupt("the WebP file is cut off in the middle")
    return WebpPicture(content)


def open_avif(content: bytes) -> Encoded:
    frame_px = largest_frame_px(content)
    if frame_px > largest_px(content):
        raise ImageCorrupt("the AVIF file says two sizes: readers would see different pictures")
    picture = PillowPicture(content, "avif")
    picture.allocated_px = max(picture.allocated_px, frame_px)
    return picture
