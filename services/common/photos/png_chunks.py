"""The chunks of a PNG file that its picture is made of: the decoder is given these alone.

A colour profile of megabytes, a text with a wrong checksum or the frames of an animation are no reason to refuse a
photo, and no second header can hide among them.
"""

from __future__ import annotations

from typing import Final

from services.common.errors import ImageCorrupt

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES: Final = 13
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_END: Final = b"\x00\x00\x00\x00IEND\xaeB\x60\x82"


def clean_png(content: bytes) -> tuple[bytes, bytes]:
    """The file without the chunks that do not matter to its pixels, and its EXIF block, empty where there is none.

    Raises ImageCorrupt for a file cut off, with no header first, or with several.
    """
    kept, exif, at, seen = [SIGNATURE], b"", len(SIGNATURE), set[bytes]()
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if kind == b"IEND":
            break
        if (kind == b"IHDR") == bool(seen) or (kind == b"IHDR" and length != HEADER_BYTES):
            raise ImageCorrupt("the PNG file has several headers, or none where it must be")
        if end > len(content):
            if b"IDAT" in seen and kind not in _PICTURE:
                break
            raise ImageCorrupt("the PNG file is cut off in the middle")
        if kind in _PICTURE:
            kept.append(content[at:end])
        elif kind == b"eXIf" and not exif:
            exif = content[at + 8 : end - 4]
        seen.add(kind)
        at = end
    if b"IDAT" not in seen:
        raise ImageCorrupt("the PNG file holds no picture")
    return b"".join((*kept, _END)), exif
