"""The segments of a JPEG file, followed as libjpeg follows them, and written anew without what no decoder needs.

The decoder is given what stands here under `clean` and nothing else. So nothing can hide from the one reader that the
other finds: stray bytes, second frame headers, vendors' trailers and broken metadata are gone or refused before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from services.common.errors import ImageCorrupt

# Each scan of a progressive file makes the decoder visit the whole picture again. Encoders write about ten; a file
# of thousands is an attack on the CPU.
MAX_SCANS: Final = 64

_START, _END, _START_OF_SCAN, _NEW_HEIGHT = 0xD8, 0xD9, 0xDA, 0xDC
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD})  # Huffman, arithmetic, quantisation, restart interval
_METADATA: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_EXIF_NAME: Final = b"Exif\x00\x00"
# In entropy-coded data 0xFF is followed by a stuffed 0x00, a restart marker or fill bytes; anything else ends the scan.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_BETWEEN: Final = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)


@dataclass(slots=True)
class JpegStructure:
    """Sizes are before any EXIF rotation. `components` is 1 for grey, 3 for colour, 4 for CMYK; `precision` is bits a
    sample; `exif` is the EXIF block, empty where there is none. `ended` says whether the file has its end marker;
    `height_at` is where `clean` says the height."""

    width_px: int = 0
    height_px: int = 0
    components: int = 0
    precision: int = 0
    scans: int = 0
    exif: bytes = b""
    ended: bool = False
    clean: bytes = b""
    height_at: int = 0
    _progressive: bool = False
    _missing_bits: dict[int, list[int]] = field(default_factory=dict)

    def whole(self) -> bool:
        """Each component has got each bit of its 64 coefficients by some scan."""
        return len(self._missing_bits) >= self.components > 0 and not any(map(any, self._missing_bits.values()))

    def frame(self, marker: int, body: bytes) -> None:
        """Takes a frame header. Raises ImageCorrupt for a second one."""
        if self.components:
            raise ImageCorrupt("the JPEG file has two frame headers: readers would see different pictures")
        if len(body) < 6 or not body[5]:
            raise ImageCorrupt("the JPEG file has a damaged header")
        self.precision, self.components, self._progressive = body[0], body[5], marker in _PROGRESSIVE
        self.height_px, self.width_px = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")

    def scan(self, body: bytes) -> None:
        """Takes a scan header. Raises ImageCorrupt."""
        self.scans += 1
        if self.scans > MAX_SCANS:
            raise ImageCorrupt(f"the JPEG file has more than {MAX_SCANS} scans")
        count = body[0] if body else 0
        if not self.components or len(body) < 4 + 2 * count:
            raise ImageCorrupt("the JPEG file has a damaged header")
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        for name in body[1 : 1 + 2 * count : 2]:
            missing = self._missing_bits.setdefault(name, [99] * 64)
            if self._progressive:
                missing[first : last + 1] = [bits & 15] * len(missing[first : last + 1])
            else:
                missing[:] = [0] * 64


def walk_jpeg(content: bytes) -> JpegStructure:
    """Follows the markers from the first to the end marker; what stands behind it (a second picture) is ignored.

    A file without its end marker ends where its picture is whole and no segment of a picture follows. Whether the data
    of its last scan is whole, only the decoder can say.
    Raises ImageCorrupt for a file that ends early, has no frame or scan, two frames, or more than `MAX_SCANS` scans.
    """
    found, kept, at, size = JpegStructure(), [b"\xff\xd8"], 2, 2
    while True:
        marker, at = _marker(content, at)
        if marker == _END:
            found.ended = True
            break
        if marker in _WITHOUT_LENGTH:
            continue
        known = marker in _FRAMES | _TABLES | _METADATA | {_START_OF_SCAN, _NEW_HEIGHT}
        length = int.from_bytes(content[at : at + 2], "big")
        if not known or length < 2 or at + length > len(content):
            if found.whole():
                break
            raise ImageCorrupt(f"the JPEG file is {'cut off in the middle' if known or not marker else 'damaged'}")
        body = content[at + 2 : at + length]
        if marker in _FRAMES:
            found.frame(marker, body)
            found.height_at = size + 5
        elif marker == _START_OF_SCAN:
            found.scan(body)
        elif marker == _NEW_HEIGHT and int.from_bytes(body[:2], "big") != found.height_px:
            raise ImageCorrupt("the JPEG file says two heights: readers would see different pictures")
        if marker in _METADATA:
            segment = _metadata(marker, body, found)
        elif marker == _NEW_HEIGHT:
            segment = b""
        else:
            segment = b"\xff" + bytes([marker]) + content[at : at + length]
        at += length
        if marker == _START_OF_SCAN:
            end = _NEXT_MARKER.search(content, at)
            segment += content[at : end.start() if end else len(content)]
            at = end.start() if end else len(content)
        kept.append(segment)
        size += len(segment)
    if not found.components or not found.scans:
        raise ImageCorrupt("the JPEG file holds no picture")
    found.clean = b"".join((*kept, b"\xff\xd9"))
    return found


def of_height(structure: JpegStructure, height_px: int) -> bytes:
    """The clean file, but of a picture no higher than that."""
    height = min(structure.height_px, height_px).to_bytes(2, "big")
    return structure.clean[: structure.height_at] + height + structure.clean[structure.height_at + 2 :]


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """The next marker from there and the offset behind it, as libjpeg looks for it; 0 where there is none."""
    found = _BETWEEN.search(content, at)
    return (found[1][0], found.end()) if found else (0, len(content))


def _metadata(marker: int, body: bytes, found: JpegStructure) -> bytes:
    """What of an APPn or COM segment matters to the decoder: that it is JFIF, and which colours Adobe's says. Takes
    the EXIF block down."""
    if marker == 0xE0 and body.startswith(b"JFIF\x00") and len(body) >= 12:
        return _JFIF
    if marker == 0xE1 and body.startswith(b"Exif\x00") and len(body) > len(_EXIF_NAME) and not found.exif:
        found.exif = body
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return b"\xff\xee\x00\x0e" + body[:12]
    return b""
