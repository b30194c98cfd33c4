"""What size the AV1 frames in an AVIF file are, by their own headers.

libavif shrinks a frame to the size that the file gives it, after decoding it whole: a file of 64x64 pixels may hold a
frame of 200 megapixels. So a frame larger than any size in the file is refused. (AV1 specification 5.3 to 5.5;
ISO/IEC 14496-12, `iloc`.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.common.errors import ImageCorrupt

_LOCATIONS: Final = re.compile(rb"iloc([\x00-\x02]).{3}", re.DOTALL)
_SEQUENCE_HEADER: Final = 1
_FILM: Final = b"moov"
_STILL: Final = b"avif"
MAX_ITEMS: Final = 8192  # of a file; a photo has one for each tile


class _Bits:
    """Numbers of so many bits, the highest first. Raises ImageCorrupt at the end."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self._content = content
        self._bit = 8 * at

    def take(self, count: int) -> int:
        first, self._bit = self._bit, self._bit + count
        if self._bit > 8 * len(self._content):
            raise ImageCorrupt("the AVIF file is cut off in the middle")
        covering = int.from_bytes(self._content[first // 8 : -(-self._bit // 8)], "big")
        mask: int = (1 << count) - 1
        return covering >> -self._bit % 8 & mask


def largest_frame_px(content: bytes) -> int:
    """Pixels of the largest frame in the file. Raises ImageCorrupt where no frame is found."""
    if _FILM in content and content[8:12] != _STILL:
        raise ImageCorrupt("the AVIF file holds a film: readers would see different pictures")
    found: list[int] = []
    items = item_bytes = 0
    for item in _items(content):
        # Many items that all lie over the whole file would make the search long.
        items, item_bytes = items + 1, item_bytes + len(item)
        if items > MAX_ITEMS or item_bytes > 2 * len(content):
            raise ImageCorrupt("the AVIF file names the same bytes again and again")
        found += _frames_px(item)
    if not found:
        raise ImageCorrupt("the AVIF file holds no picture")
    return max(found)


def _items(content: bytes) -> Iterator[bytes]:
    """What each item of the file consists of."""
    starts = {0: (0,), 1: tuple(match.end() for match in re.finditer(b"idat", content))}
    for match in _LOCATIONS.finditer(content):
        version = match[1][0]
        bits = _Bits(content, match.end())
        offset_bits, length_bits, base_bits, index_bits = (8 * bits.take(4) for _ in range(4))
        for _ in range(bits.take(32 if version == 2 else 16)):
            bits.take(32 if version == 2 else 16)
            method = bits.take(16) & 15 if version else 0
            bits.take(16)
            base = bits.take(base_bits)
            extents = []
            for _ in range(bits.take(16)):
                bits.take(index_bits if version else 0)
                extents.append((base + bits.take(offset_bits), bits.take(length_bits)))
            for start in starts.get(method, ()):
                yield b"".join(content[start + at : start + at + length if length else None] for at, length in extents)


def _frames_px(item: bytes) -> Iterator[int]:
    """The largest frame that each sequence header in the item allows."""
    at = 0
    while at < len(item):
        head = item[at]
        at += 1 + (head >> 2 & 1)
        size = len(item) - at
        if head >> 1 & 1:
            size, at = _leb128(item, at)
        if head >> 7 or size < 0 or at + size > len(item):
            return  # no AV1: metadata, or a grid's plan
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _sequence_px(item[at : at + size])
        at += size


def _sequence_px(header: bytes) -> int:
    bits = _Bits(header)
    bits.take(4)
    if bits.take(1):  # the short header of a still picture
        bits.take(5)
    else:
        if bits.take(1):
            raise ImageCorrupt("the AVIF file is timed like a video")
        delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if delays and bits.take(1):
                bits.take(4)
    wide_bits, high_bits = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(wide_bits) + 1) * (bits.take(high_bits) + 1)


def _leb128(item: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(item[at : at + 8]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at + index + 1
    return -1, at
