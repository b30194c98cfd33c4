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
from services.common.photos.webp_chunks import canvas_px, exif_chunk

# Pillow's own guard only warns at first, and knows one limit a process. The size that its decoder has opened with is
# held against `max_pixels` before anything is loaded, and against what was loaded afterwards.
Image.MAX_IMAGE_PIXELS = None

WEBP_OPEN_BYTES = 8  # a pixel: two canvases of RGBA
_TRANSPARENT = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})


class PillowPicture(Encoded):
    """`name` is the format's in Pillow; without `orientation` the file's own EXIF says it."""

    def __init__(self, content: bytes, name: str, orientation: int | None = None) -> None:
        self._content = content
        self._name = name
        with self._opened() as image:
            if orientation is None:
                orientation = exif_orientation(image.info.get("exif", b""))
            super().__init__(*image.size, orientation)

    def _opened(self) -> Image.Image:
        return Image.open(io.BytesIO(self._content), formats=(self._name,))

    def pixels(self, part: int = 1) -> Pixels:
        with self._opened() as image:  # anew, for who tries again
            if part > 1:
                image.draft(None, (max(image.width // part, 1), max(image.height // part, 1)))
            image.load()
            flat = np.empty((image.height, image.width, 3), dtype=np.uint8)
            for top in range(0, image.height, BLOCK_ROWS):
                bottom = min(top + BLOCK_ROWS, image.height)
                flat[top:bottom] = _block(image.crop((0, top, image.width, bottom)))
            return flat


def _block(image: Image.Image) -> Pixels:
    """A block of rows: Pillow hands pixels over by way of two copies, too much of a large photo at once."""
    if image.mode.startswith("I"):
        # 16-bit grey; Pillow would clip it to 8 bits instead of scaling it.
        return flatten(np.asarray(image).astype(np.uint16, copy=False))
    see_through = image.mode in _TRANSPARENT or "transparency" in image.info
    target = "RGBA" if see_through else "RGB"
    return flatten(np.asarray(image if image.mode == target else image.convert(target)))


def open_png(content: bytes) -> Encoded:
    clean, exif = clean_png(content)
    return PillowPicture(clean, "png", exif_orientation(exif))


class WebpPicture(Encoded):
    """The canvas is what libwebp allocates, as soon as it is opened: so it is not before the size is checked. Frames
    must lie in the canvas; the first one is the photo."""

    def __init__(self, content: bytes) -> None:
        super().__init__(*canvas_px(content), exif_orientation(exif_chunk(content)))
        self._content = content

    def pixels(self, part: int = 1) -> Pixels:
        try:
            opened = PillowPicture(self._content, "webp", self.orientation)
        except OSError:
            # libwebp says the same of a damaged file and of too little memory: the memory is asked for again.
            require(WEBP_OPEN_BYTES * self.allocated_px)
            raise
        if (opened.width_px, opened.height_px) != (self.width_px, self.height_px):
            raise ImageCorrupt("the WebP file says two sizes: readers would see different pictures")
        return opened.pixels()


def open_webp(content: bytes) -> Encoded:
    if len(content) < int.from_bytes(content[4:8], "little") + 8:
        raise ImageCorrupt("the WebP file is cut off in the middle")
    return WebpPicture(content)


def open_avif(content: bytes) -> Encoded:
    """Frames count whole, also those that libavif shrinks once it has decoded them."""
    frame_px = largest_frame_px(content)
    if frame_px > largest_px(content):
        raise ImageCorrupt("the AVIF file says two sizes: readers would see different pictures")
    picture = PillowPicture(content, "avif")
    picture.allocated_px = max(picture.allocated_px, frame_px)
    return picture
