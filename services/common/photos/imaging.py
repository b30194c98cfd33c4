"""From the bytes of a photo to pixels: sniffing, limits before decoding, EXIF rotation, one RGB convention.

The gateway's check at the door and the workers' decoding go through the same look at the file's structure, so that
what is accepted can be decoded. Whole JPEG and WebP photos go through OpenCV, whose decoder hands over packed RGB in a
third of Pillow's time (1600x1200 JPEG, one core: 6 ms against 18 ms); Pillow reads headers, every rarer case, and a
JPEG at an eighth of its size, as fast as OpenCV. So the gateway, which only checks, goes without OpenCV's 170 MB.
"""

from __future__ import annotations

import io
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from services.common.errors import FacekitError, ImageCorrupt, TooManyPixels
from services.common.photos.image_format import SNIFF_BYTES, ImageFormat, sniff
from services.common.photos.jpeg import JpegStructure, first_rows, walk_jpeg

try:
    import cv2
except ModuleNotFoundError:  # in the gateway's image: the few photos it draws boxes on are decoded by Pillow
    cv2 = None  # type: ignore[assignment]

# Pillow's own bomb guard only warns at first; `max_pixels` is checked on the header of every photo instead.
Image.MAX_IMAGE_PIXELS = None

FLATTEN_ROWS: Final = 256  # blending needs 16 bits a sample: a block at a time keeps a large photo's memory flat

REDUCED: Final = (1, 2, 4, 8)  # by which part of its sides a JPEG's decoder can shrink it on the way


class ImageInfo(NamedTuple):
    """A photo's format and the size of its upright picture."""

    format: ImageFormat
    width_px: int
    height_px: int


def probe(content: bytes, max_pixels: int) -> ImageInfo:
    """Format and upright size from the header alone; no pixel is decoded.

    Raises ImageEmpty, UnsupportedFormat, ImageCorrupt, TooManyPixels.
    """
    return _header(content, max_pixels)[0]


def _header(content: bytes, max_pixels: int) -> tuple[ImageInfo, JpegStructure | None]:
    """What `probe` says, and a JPEG's structure, which walks the whole file to be had."""
    image_format = sniff(content[:SNIFF_BYTES])
    structure = None
    try:
        if image_format is ImageFormat.HEIC:
            width, height = _open_heic(content).size
            orientation = 1
        elif image_format is ImageFormat.JPEG:
            structure = walk_jpeg(content)
            width, height = structure.width_px, structure.height_px
            orientation = _orientation(structure.exif)
        else:
            with Image.open(io.BytesIO(content), formats=(image_format.value,)) as image:
                width, height = image.size
                orientation = _orientation(image.info.get("exif", b""))
    except FacekitError:
        raise
    except Exception as error:  # hostile bytes raise anything: struct.error, SyntaxError, KeyError...
        raise ImageCorrupt(f"the {_name(image_format)} header cannot be read") from error
    if width < 1 or height < 1:
        raise ImageCorrupt("the picture has no pixels")
    if width * height > max_pixels:
        megapixels, limit = width * height / 1e6, max_pixels / 1e6
        raise TooManyPixels(f"{width}x{height} is {megapixels:.1f} megapixels; at most {limit:g} are accepted")
    upright = (height, width) if orientation >= 5 else (width, height)
    return ImageInfo(image_format, *upright), structure


def check(content: bytes, max_pixels: int) -> ImageInfo:
    """Says what `decode` would say of the photo, in a fraction of its time and memory where it is a JPEG.

    A JPEG of several scans is decoded at an eighth of its size. Of one with a single scan, which the walk has seen to
    be whole, the first rows are enough: decoders refuse headers and tables, and fill in for whatever is wrong between
    them and the end. Raises what `decode` raises.
    """
    info, structure = _header(content, max_pixels)
    if structure is not None and structure.scans == 1:
        content = first_rows(content, structure)
    pixels = _pixels(content, info.format, structure, part=8)
    if info.format is ImageFormat.JPEG:
        return info
    height, width = pixels.shape[:2]
    return ImageInfo(info.format, width, height)


def decode(content: bytes, max_pixels: int, *, at_least_px: int | None = None) -> NDArray[np.uint8]:
    """The upright photo, uint8 (height, width, 3) RGB, transparency on white.

    With `at_least_px` a JPEG comes at a half, a quarter or an eighth of its size, as long as its longer side keeps so
    many pixels: in a fraction of the time, for who wants a small picture.
    Raises ImageEmpty, UnsupportedFormat, ImageCorrupt (also for a cut file), TooManyPixels (before decoding).
    """
    info, structure = _header(content, max_pixels)
    side_px = max(info.width_px, info.height_px)
    part = 1 if at_least_px is None else max((p for p in REDUCED if side_px // p >= at_least_px), default=1)
    return _pixels(content, info.format, structure, part=part)


def at_most(image_rgb: NDArray[np.uint8], max_side_px: int) -> NDArray[np.uint8]:
    """The picture, shrunk if its longer side exceeds that."""
    height, width = image_rgb.shape[:2]
    scale = max_side_px / max(height, width)
    if scale >= 1:
        return image_rgb
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(Image.fromarray(image_rgb).resize(size, Image.Resampling.BILINEAR), dtype=np.uint8)


def encode_jpeg(image_rgb: NDArray[np.uint8], quality: int = 90) -> bytes:
    """A JPEG with no metadata. `quality` 1 to 100; the array is uint8 (height, width, 3) RGB."""
    if cv2 is None:
        written = io.BytesIO()
        Image.fromarray(image_rgb).save(written, "JPEG", quality=quality)
        return written.getvalue()
    done, buffer = cv2.imencode(".jpg", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an array of shape {image_rgb.shape} cannot be written as JPEG")
    return buffer.tobytes()


def _pixels(
    content: bytes, image_format: ImageFormat, structure: JpegStructure | None, *, part: int
) -> NDArray[np.uint8]:
    try:
        if image_format is ImageFormat.HEIC:
            # libheif turns the picture by its own properties; a HEIC file's EXIF orientation only repeats them.
            return _flatten(np.asarray(_open_heic(content)))
        if structure is not None:
            orientation = _orientation(structure.exif)
            if cv2 is not None and part == 1 and structure.components in (1, 3) and structure.precision == 8:
                return _upright(_by_opencv(content), orientation)
            # Pillow refuses a photo for EXIF it cannot read, so it is given none.
            plain = content.replace(structure.exif, bytes(len(structure.exif)), 1)
            return _upright(_by_pillow(plain, image_format, part=part), orientation)
        if image_format is ImageFormat.WEBP:
            return _webp(content)
        return _by_pillow(content, image_format)
    except (FacekitError, MemoryError):
        raise
    except Exception as error:
        raise ImageCorrupt(f"the {_name(image_format)} file is cut off or damaged") from error


def _by_opencv(content: bytes) -> NDArray[np.uint8]:
    """As stored: (height, width, 3) RGB. Raises ImageCorrupt."""
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if decoded is None:
        raise ImageCorrupt("the file is cut off or damaged")
    return np.asarray(decoded, dtype=np.uint8)


def _webp(content: bytes) -> NDArray[np.uint8]:
    if len(content) < int.from_bytes(content[4:8], "little") + 8:
        raise ImageCorrupt("the WebP file is cut off in the middle")
    with Image.open(io.BytesIO(content), formats=("webp",)) as image:
        orientation, plain = _orientation(image.info.get("exif", b"")), image.mode == "RGB"
        animated = getattr(image, "is_animated", False)
    if cv2 is not None and plain and not animated:
        return _upright(_by_opencv(content), orientation)
    return _by_pillow(content, ImageFormat.WEBP)


def _by_pillow(content: bytes, image_format: ImageFormat, *, part: int = 1) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=(image_format.value,)) as image:
        if part > 1:
            image.draft(None, (max(image.width // part, 1), max(image.height // part, 1)))
        image.load()
        orientation = _orientation(image.info.get("exif", b""))
        if image.mode.startswith("I"):
            # 16-bit grey; Pillow would clip it to 8 bits instead of scaling it.
            return _upright(_flatten((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)), orientation)
        see_through = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
        target = "RGBA" if see_through else "RGB"
        return _upright(_flatten(np.asarray(image if image.mode == target else image.convert(target))), orientation)


def _flatten(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4) to RGB, transparency on white."""
    if pixels.dtype != np.uint8:
        raise ImageCorrupt(f"samples of type {pixels.dtype} are not supported")
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] == 4:
        flat = np.empty((*pixels.shape[:2], 3), dtype=np.uint8)
        for row in range(0, len(pixels), FLATTEN_ROWS):
            part = pixels[row : row + FLATTEN_ROWS]
            alpha = part[:, :, 3:].astype(np.uint16)
            flat[row : row + FLATTEN_ROWS] = (part[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
        return flat
    return np.ascontiguousarray(pixels)


def _orientation(exif_block: bytes) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    exif = Image.Exif()
    try:
        exif.load(exif_block)
        value = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged metadata is no reason to refuse a whole picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The picture turned and mirrored as EXIF orientation 1 to 8 says."""
    turned = pixels.transpose(1, 0, 2) if orientation >= 5 else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def _open_heic(content: bytes) -> Any:
    import pillow_heif  # loads libheif and its codecs: only when a HEIC photo comes

    return pillow_heif.open_heif(content, convert_hdr_to_8bit=True)


def _name(image_format: ImageFormat) -> str:
    return "WebP" if image_format is ImageFormat.WEBP else image_format.value.upper()
