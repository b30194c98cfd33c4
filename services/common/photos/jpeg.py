"""The structure of a JPEG file: walked marker by marker, so that a cut file is known without decoding it.

Decoders fill the missing part of a cut JPEG with grey, some of them silently; the walk is what says so for sure.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from services.common.errors import ImageCorrupt

# Each scan of a progressive file makes the decoder visit the whole picture again. Encoders write about ten; a file
# of thousands is an attack on the CPU.
MAX_SCANS: Final = 64
BLOCK_PX: Final = 8

_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_APP1: Final = 0xE1
# In entropy-coded data 0xFF is followed by a stuffed 0x00, a restart marker or fill bytes; anything else ends the scan.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


class JpegStructure(NamedTuple):
    """Size before any EXIF rotation; `components` is 1 for grey, 3 for colour, 4 for CMYK; `precision` is bits a
    sample; `exif` is the EXIF block, empty where there is none; `height_at` is where the file says the height."""

    width_px: int
    height_px: int
    exif: bytes
    components: int
    precision: int
    scans: int
    height_at: int


def walk_jpeg(content: bytes) -> JpegStructure:
    """Follows the markers from SOI to EOI; what stands behind EOI (a second picture, padding) is ignored.

    Raises ImageCorrupt for a file that ends early, has no frame or scan, or more than `MAX_SCANS` scans.
    """
    position, width, height, components, precision, scans, exif, height_at = 2, 0, 0, 0, 0, 0, b"", 0
    while True:
        marker, position = _marker(content, position)
        if marker == _END_OF_IMAGE:
            break
        if position + 2 > len(content):
            raise ImageCorrupt("the JPEG file is cut off in the middle")
        length = int.from_bytes(content[position : position + 2], "big")
        if length < 2 or position + length > len(content):
            raise ImageCorrupt("the JPEG file is cut off in the middle")
        if marker in _START_OF_FRAME:
            if length < 8:
                raise ImageCorrupt("the JPEG file has a damaged header")
            precision, components = content[position + 2], content[position + 7]
            height_at = position + 3
            height = int.from_bytes(content[height_at : height_at + 2], "big")
            width = int.from_bytes(content[position + 5 : position + 7], "big")
        elif marker == _APP1 and not exif and content.startswith(b"Exif\x00", position + 2):
            exif = content[position + 2 : position + length]
        position += length
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageCorrupt(f"the JPEG file has more than {MAX_SCANS} scans")
            position = _end_of_scan(content, position)
    if not components or not scans:
        raise ImageCorrupt("the JPEG file holds no picture")
    return JpegStructure(width, height, exif, components, precision, scans, height_at)


def first_rows(content: bytes, structure: JpegStructure) -> bytes:
    """The same file, but of a picture no higher than one row of blocks."""
    height = min(structure.height_px, BLOCK_PX).to_bytes(2, "big")
    return content[: structure.height_at] + height + content[structure.height_at + 2 :]


def _marker(content: bytes, position: int) -> tuple[int, int]:
    """The marker at the position and the offset behind it."""
    if position < len(content) and content[position] != 0xFF:
        raise ImageCorrupt("the JPEG file is damaged")
    while position < len(content) and content[position] == 0xFF:
        position += 1
    if position >= len(content):
        raise ImageCorrupt("the JPEG file is cut off in the middle")
    return content[position], position + 1


def _end_of_scan(content: bytes, position: int) -> int:
    found = _NEXT_MARKER.search(content, position)
    if found is None:
        raise ImageCorrupt("the JPEG file is cut off in the middle")
    return found.start()
