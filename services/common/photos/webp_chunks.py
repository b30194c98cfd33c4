"""What a WebP file says before its decoder is asked, since libwebp allocates the whole canvas as soon as it opens one.

The decoder is opened only on a canvas within the limit, and must then say the same size.
"""

from __future__ import annotations

from services.common.errors import ImageCorrupt


def canvas_px(content: bytes) -> tuple[int, int]:
    """Width and height that libwebp will allocate, by the first chunk. Raises ImageCorrupt."""
    kind, head = content[12:16], content[20:30]
    if len(head) == 10:
        if kind == b"VP8X":
            return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
        if kind == b"VP8 ":
            return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
        if kind == b"VP8L":
            sides = int.from_bytes(head[1:5], "little")
            return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    raise ImageCorrupt("the WebP header cannot be read")


def exif_chunk(content: bytes) -> bytes:
    """The EXIF block, empty where there is none."""
    at = 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"EXIF":
            return content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""
