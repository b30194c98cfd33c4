"""The formats of photos, told apart by content and never by name."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from services.common.errors import ImageEmpty, UnsupportedFormat

SNIFF_BYTES: Final = 64

_HEVC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS: Final = frozenset({b"mif1", b"msf1"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_MOVING: Final = b"avis"  # as the major brand: the decoder would look for frames as in a video


class ImageFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        return "jpg" if self is ImageFormat.JPEG else self.value


def sniff(head: bytes) -> ImageFormat:
    """The format by content, from the first `SNIFF_BYTES` bytes. Raises ImageEmpty, UnsupportedFormat."""
    if not head:
        raise ImageEmpty("the file is empty")
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head[4:8] == b"ftyp" and (found := _by_brand(head)):
        return found
    raise UnsupportedFormat(f"{_guess(head)}; JPEG, PNG, WebP, HEIC and AVIF photos are accepted")


def _by_brand(head: bytes) -> ImageFormat | None:
    size = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    compatible = {head[offset : offset + 4] for offset in range(16, size - 3, 4)}
    brand = head[8:12]
    if brand == _MOVING:
        return None
    if brand in _AVIF_BRANDS or (brand in _GENERIC_BRANDS and compatible & _AVIF_BRANDS):
        return ImageFormat.AVIF
    return ImageFormat.HEIC if brand in _HEVC_BRANDS | _GENERIC_BRANDS else None


def _guess(head: bytes) -> str:
    """What the file seems to be, in words a person can act on."""
    if head[:3] == b"GIF":
        return "this is a GIF picture"
    if head[:2] == b"BM":
        return "this is a BMP picture"
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return "this is a TIFF picture"
    if head[4:8] == b"ftyp":
        return "this is a video or a picture of another kind"
    if head[:4] == b"%PDF":
        return "this is a PDF document"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return "this is text, not a picture"
    return "this is not a picture of a known format"
