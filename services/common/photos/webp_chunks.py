"""What size a WebP file's canvas is, read as libwebp reads it: from the first chunk.

libwebp allocates two canvases as it opens the file. So the size is wanted before, and held against its own after.
"""

from __future__ import annotations

from typing import Final

from services.common.errors import ImageCorrupt

_FIRST_CHUNK: Final = 12
_LOSSY_START: Final = b"\x9d\x01\x2a"
_LOSSLESS_START: Final = 0x2F


def webp_canvas(content: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises ImageCorrupt where the first chunk says none."""
    kind, body = content[_FIRST_CHUNK : _FIRST_CHUNK + 4], content[_FIRST_CHUNK + 8 : _FIRST_CHUNK + 18]
    if kind == b"VP8X" and len(body) == 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8 " and body[3:6] == _LOSSY_START and len(body) == 10:
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L" and body[:1] == bytes([_LOSSLESS_START]) and len(body) >= 5:
        sizes = int.from_bytes(body[1:5], "little")
        return 1 + (sizes & 0x3FFF), 1 + (sizes >> 14 & 0x3FFF)
    raise ImageCorrupt("the WebP file is cut off or damaged")
