"""Photos that hide a large picture from whoever reads their headers otherwise than the decoder does.

Each is of a few KB. `LARGE` is beyond the limit, `SEEN` is what the file pretends to be.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from functools import cache

from PIL import Image

from tests.fuzz.mutants import (
    PNG_BYTES,
    chunk,
    frame_header,
    ihdr,
    jpeg_segments,
    png_chunks,
    riff,
    riff_chunk,
    riff_chunks,
    vp8x,
)
from tests.fuzz.seeds import encoded, picture, seeds

LARGE = (16000, 12000)
SEEN = (72, 40)
# As large as a test can afford to encode; ispe lies about it.
FRAME = (1024, 768)


@cache
def bombs() -> Mapping[str, bytes]:
    """By what is wrong with them."""
    return {**_jpegs(), **_pngs(), **_webps(), **_heifs()}


def _jpegs() -> dict[str, bytes]:
    honest = seeds()["JPEG"][0]
    soi, *rest = jpeg_segments(honest)
    sof = next(index for index, part in enumerate(rest) if part[1] == 0xC0)
    before, frame, after = rest[:sof], rest[sof], rest[sof + 1 :]
    tables, scan = after[:-1], after[-1]
    large = frame_header(*LARGE)
    hidden = large + frame[4:]  # swallowed by who takes the marker before it for a segment

    def joined(*parts: bytes) -> bytes:
        return soi + b"".join((*before, *parts))

    in_metadata = b"\xff\xe2" + struct.pack(">H", 2 + len(large)) + large
    thumbnail = b"Exif\0\0" + soi + large + b"".join((*tables, scan))
    without_scan = b"".join((frame, *tables))
    return {
        "jpeg TEM taken for a segment": joined(b"\xff\x01" + large, frame, *tables, scan),
        "jpeg RST taken for a segment": joined(b"\xff\xd0" + large, *tables, scan),
        "jpeg RST with a length": joined(b"\xff\xd3\x00\x13" + large, frame, *tables, scan),
        "jpeg two frames, large first": joined(large, frame, *tables, scan),
        "jpeg two frames, large last": joined(frame, large, *tables, scan),
        "jpeg large progressive frame": joined(frame, frame_header(*LARGE, 0xC2), *tables, scan),
        "jpeg large frame after the scan": joined(frame, *tables, scan[:-2], hidden, b"".join(tables), scan),
        "jpeg large frame within the scan": joined(frame, *tables, scan[:40] + large + scan[40:]),
        "jpeg frame in an APP payload": joined(in_metadata, frame, *tables, scan),
        "jpeg APP shorter than its frame": joined(b"\xff\xe2\x00\x02" + large, frame, *tables, scan),
        "jpeg fill bytes before a frame": joined(b"\xff\xff\xff" + large, frame, *tables, scan),
        "jpeg stray bytes before a frame": joined(b"\0\0stray" + large, frame, *tables, scan),
        "jpeg DNL says another height": joined(without_scan, scan[:-2], b"\xff\xdc\x00\x04\x2e\xe0\xff\xd9"),
        "jpeg no height but by DNL": joined(
            frame_header(SEEN[0], 0), *tables, scan[:-2], b"\xff\xdc\x00\x04\x2e\xe0\xff\xd9"
        ),
        "jpeg large second picture (MPO)": honest + soi + large + b"".join((*tables, scan)),
        "jpeg large thumbnail in EXIF": joined(
            b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail, frame, *tables, scan
        ),
        "jpeg second start inside": joined(soi + large, frame, *tables, scan),
    }


def _pngs() -> dict[str, bytes]:
    honest = seeds()["PNG"][1]
    header, *rest = png_chunks(honest)
    signature = honest[:PNG_BYTES]
    large = ihdr(*LARGE)
    animation = chunk(b"acTL", struct.pack(">II", 2, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, *LARGE, 0, 0, 1, 10, 0, 0))
    rows = chunk(b"fdAT", struct.pack(">I", 1) + zlib.compress(bytes(1_000_000)))
    long = chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9))
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))

    def joined(*parts: bytes) -> bytes:
        return signature + b"".join(parts)

    return {
        "png two headers, large last": joined(header, large, *rest),
        "png two headers, large first": joined(large, header, *rest),
        "png large header behind the pixels": joined(header, *rest[:-1], large, rest[-1]),
        "png large header behind the end": joined(header, *rest, large),
        "png APNG with a larger frame": joined(header, animation, frame, *rest[:-1], rows, rest[-1]),
        "png pixels for a larger picture": joined(header, long, *rest[-1:]),
        "png text of 50 MB": joined(header, text, *rest),
        "png profile of 50 MB": joined(header, profile, *rest),
        "png chunk of 4 GB": joined(header, b"\xff\xff\xff\xffIDAT", *rest),
    }


def _webps() -> dict[str, bytes]:
    lossy, moving = seeds()["WebP"][0], seeds()["WebP"][3]
    image = next(part for part in riff_chunks(lossy) if part[:4] == b"VP8 ")
    frames = riff_chunks(moving)
    big = riff_chunks(encoded(picture(*FRAME), "WEBP"))[0]
    sized = struct.pack("<I", LARGE[0] - 1)[:3] + struct.pack("<I", LARGE[1] - 1)[:3]
    anmf = riff_chunk(b"ANMF", bytes(6) + sized + bytes(4) + image)
    inflated = bytearray(image)
    inflated[14:18] = struct.pack("<HH", 16383, 16383)
    return {
        "webp canvas small, frame large": riff([vp8x(*SEEN), big]),
        "webp canvas large, frame small": riff([vp8x(*LARGE), image]),
        "webp canvas of 281 terapixels": riff([vp8x(2**24, 2**24), image]),
        "webp frame of 268 megapixels": riff([bytes(inflated)]),
        "webp animation, frame outside": riff([*frames[:2], anmf, *frames[2:]]),
        "webp two canvases": riff([vp8x(*SEEN), vp8x(*LARGE), image]),
        "webp large picture behind": riff([image, bytes(inflated)]),
    }


def _heifs() -> dict[str, bytes]:
    big = picture(*FRAME)
    one, tiles = encoded(big, "HEIF"), encoded(big, "HEIF", tile_size=128)
    avif = encoded(big, "AVIF", speed=10)
    true, lie, huge = (struct.pack(">II", *size) for size in (FRAME, SEEN, LARGE))
    decoy = struct.pack(">I", 20) + b"ispe" + bytes(4) + huge
    flagged = avif.replace(b"ispe\0\0\0\0" + true, b"ispe\0\0\0\1" + lie)
    return {
        "heic frame larger than it says": one.replace(true, lie),
        "heic frame smaller than it says": one.replace(true, huge),
        "heic grid larger than its tiles": tiles.replace(struct.pack(">HH", *FRAME), struct.pack(">HH", *LARGE)),
        "heic tiles larger than they say": tiles.replace(struct.pack(">II", 128, 128), struct.pack(">II", 8, 8)),
        "heic many tiles": tiles.replace(b"\0\0\5\7" + struct.pack(">HH", *FRAME), b"\0\0\xff\xff\x3e\x80\x2e\xe0"),
        "avif frame larger than it says": avif.replace(true, lie),
        "avif size under other flags": flagged,
        "avif decoy beside a small size": flagged + struct.pack(">I", 8 + len(decoy)) + b"free" + decoy,
        "avif frame smaller than it says": avif.replace(true, huge),
        "avif film under a still's brand": avif.replace(b"ftypavif", b"ftypmif1", 1) + b"\0\0\0\x08moov",
    }


def honest_again() -> tuple[bytes, tuple[int, int]]:
    """A plain photo and its size: what a process must still decode after all of them."""
    return encoded(Image.new("RGB", SEEN, (200, 100, 50)), "PNG"), SEEN
