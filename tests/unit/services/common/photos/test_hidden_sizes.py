"""Photos that tell one reader one size and another reader another: refused at the door, or decoded at the size that was
checked; and the worker's memory stays where it was."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from services.common.errors import FacekitError
from services.common.photos.imaging import check, decode
from tests.fuzz.door_and_worker import answers
from tests.fuzz.mutants import chunk, frame_header, ihdr, jpeg_segments, png_chunks, riff, riff_chunks, vp8x
from tests.fuzz.seeds import SIDE_PX, encoded, picture, seeds
from tests.shared import SHARED

MAX_PIXELS = 64_000_000
HUGE = (16_000, 12_000)  # 192 megapixels
ROOT = Path(__file__).resolve().parents[5]
CASES = SHARED / "cases"

JPEG = encoded(picture(), "JPEG", subsampling=0)
PROGRESSIVE = encoded(picture(), "JPEG", progressive=True)
PNG = encoded(picture(), "PNG")
HEIC = seeds()["HEIC"][0]


def with_segment(segment: bytes, photo: bytes = JPEG, at: int = 1) -> bytes:
    parts = jpeg_segments(photo)
    parts.insert(at if at >= 0 else len(parts) + at, segment)
    return b"".join(parts)


def app(number: int, body: bytes) -> bytes:
    return b"\xff" + bytes([0xE0 + number]) + struct.pack(">H", len(body) + 2) + body


def resized(photo: bytes, kind: bytes, width: int, height: int) -> bytes:
    """HEIC or AVIF in which each box of that kind says this size."""
    parts = photo.split(kind)
    return kind.join((parts[0], *(part[:4] + struct.pack(">II", width, height) + part[12:] for part in parts[1:])))


def swallowed_by(marker: int) -> bytes:
    """A marker without parameters, taken for a segment that hides the frame header behind it."""
    hidden = frame_header(*HUGE)
    return with_segment(b"\xff" + bytes([marker]) + struct.pack(">H", len(hidden) + 2) + hidden)


def thumbnail_bomb() -> bytes:
    inner = b"\xff\xd8" + frame_header(*HUGE) + b"\xff\xd9"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\x0e\0\x02\x02\x01\0\x04\0\0\0\x01\0\0\0\x2c\x02\x02\0\x04\0\0\0\x01"
    return with_segment(app(1, exif + struct.pack(">I", len(inner)) + bytes(4) + inner))


def png(*extra: bytes, at: int = 1) -> bytes:
    parts = png_chunks(PNG)
    parts[at:at] = extra
    return PNG[:8] + b"".join(parts)


def fctl(width: int, height: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0))


def webp(width: int, height: int, flags: int = 0) -> bytes:
    return riff([vp8x(width, height, flags), *riff_chunks(encoded(picture(), "WEBP"))])


def animated(width: int, height: int) -> bytes:
    first, *frames = riff_chunks(seeds()["WebP"][3])
    return riff([vp8x(width, height, first[8]), *frames])


def huge_second_picture() -> bytes:
    return JPEG[:-2] + b"\xff\xd9\xff\xd8" + frame_header(*HUGE) + JPEG[2:]


def packed(kind: bytes, megabytes: int = 50) -> bytes:
    """A chunk of a PNG that unpacks to so many MB of zeros."""
    name = b"" if kind == b"IDAT" else b"a\0\0"
    return chunk(kind, name + zlib.compress(bytes(megabytes * 1_000_000), 9))


def large_avif(said: tuple[int, int] = SIDE_PX, flags: bytes = bytes(4)) -> bytes:
    """A frame of 1024x768 in a file that says another size."""
    true = encoded(picture(*AVIF_FRAME), "AVIF", speed=10)
    old, new = struct.pack(">II", *AVIF_FRAME), struct.pack(">II", *said)
    return true.replace(b"ispe" + bytes(4) + old, b"ispe" + flags + new)


def decoy(photo: bytes) -> bytes:
    """With a huge size in a box that no decoder looks into."""
    box = struct.pack(">I", 20) + b"ispe" + bytes(4) + struct.pack(">II", *HUGE)
    return photo + struct.pack(">I", 8 + len(box)) + b"free" + box


def overlapping_items() -> bytes:
    """An AVIF file whose thousands of items are each the whole file: searching them all would take minutes."""
    whole = struct.pack(">HHHII", 1, 0, 1, 0, 0)
    body = b"\0\0\0\0" + b"\x44\x00" + struct.pack(">H", 60_000) + whole * 60_000
    return seeds()["AVIF"][0] + struct.pack(">I", 8 + len(body)) + b"iloc" + body + bytes(1_000_000)


AVIF_FRAME = (1024, 768)
KINDS: dict[str, Callable[[], bytes]] = {
    "frame hidden behind TEM": lambda: swallowed_by(0x01),
    "frame hidden behind RST0": lambda: swallowed_by(0xD0),
    "frame hidden behind RST7": lambda: swallowed_by(0xD7),
    "frame in an APP2 segment": lambda: with_segment(app(2, frame_header(*HUGE))),
    "frame in a segment too short for it": lambda: with_segment(b"\xff\xe2\x00\x02" + frame_header(*HUGE)),
    "frame in a comment": lambda: with_segment(b"\xff\xfe\x00\x15" + frame_header(*HUGE)),
    "two frames, the first huge": lambda: with_segment(frame_header(*HUGE)),
    "two frames, the last huge": lambda: with_segment(frame_header(*HUGE), at=-1),
    "two frames of one size": lambda: with_segment(frame_header(*SIDE_PX)),
    "second frame after the scan": lambda: JPEG[:-2] + frame_header(*HUGE) + b"\xff\xd9",
    "second frame between scans": lambda: PROGRESSIVE.replace(
        b"\xff\xda", frame_header(*HUGE, 0xC2) + b"\xff\xda", 2
    ).replace(frame_header(*HUGE, 0xC2), b"", 1),
    "small frame, huge DNL": lambda: JPEG[:-2] + b"\xff\xdc\x00\x04" + struct.pack(">H", 65535) + b"\xff\xd9",
    "no height but in DNL": lambda: (
        JPEG.replace(struct.pack(">HH", *SIDE_PX[::-1]), struct.pack(">HH", 0, SIDE_PX[0]), 1)[:-2]
        + b"\xff\xdc\x00\x04\xff\xff\xff\xd9"
    ),
    "frame after fill bytes": lambda: with_segment(b"\xff" * 9 + frame_header(*HUGE)),
    "frame after stray bytes": lambda: with_segment(b"\x11\x22\x33" + frame_header(*HUGE), at=2),
    "MPO, second picture huge": huge_second_picture,
    "EXIF thumbnail huge": thumbnail_bomb,
    "PNG, second header huge": lambda: png(ihdr(*HUGE)),
    "PNG, header huge after the pixels": lambda: png(ihdr(*HUGE), at=-1),
    "PNG, first header huge": lambda: png(ihdr(*HUGE), at=0),
    "APNG, frame larger than its picture": lambda: png(chunk(b"acTL", struct.pack(">II", 1, 0)), fctl(*HUGE)),
    "WebP, canvas huge, frame small": lambda: webp(*HUGE),
    "WebP, canvas small, frame larger": lambda: webp(8, 8),
    "animated WebP, canvas huge": lambda: animated(*HUGE),
    "animated WebP, canvas smaller than frames": lambda: animated(16, 16),
    "HEIC that says it is huge": lambda: resized(HEIC, b"ispe", *HUGE),
    "HEIC that says it is small": lambda: resized(HEIC, b"ispe", 16, 16),
    "HEIC, grid of huge tiles": lambda: resized(seeds()["HEIC"][2], b"ispe", *HUGE),
    "AVIF that says it is huge": lambda: resized(seeds()["AVIF"][0], b"ispe", *HUGE),
    "PNG, pixels for a larger picture": lambda: PNG[:33] + packed(b"IDAT") + PNG[-12:],
    "PNG, text of 50 MB": lambda: png(packed(b"zTXt")),
    "PNG, profile of 50 MB": lambda: png(packed(b"iCCP")),
    "PNG, chunk of 4 GB": lambda: png(b"\xff\xff\xff\xffIDAT"),
    "WebP, two canvases": lambda: riff([vp8x(*SIDE_PX), vp8x(*HUGE), *riff_chunks(encoded(picture(), "WEBP"))]),
    "WebP, canvas of 281 terapixels": lambda: webp(2**24, 2**24),
    "HEIC, tiles larger than they say": lambda: resized(seeds()["HEIC"][2], b"ispe", 8, 8),
    "AVIF, frame larger than it says": large_avif,
    "AVIF, small size under other flags": lambda: large_avif(flags=b"\0\0\0\1"),
    "AVIF, locations under other flags": lambda: large_avif().replace(b"iloc\0\0\0\0", b"iloc\0\0\0\1"),
    "AVIF, decoy beside a small size": lambda: decoy(large_avif()),
    "AVIF, film under a still's brand": lambda: (
        seeds()["AVIF"][0].replace(b"ftypavif", b"ftypmif1", 1) + b"\0\0\0\x08moov"
    ),
    "AVIF, items that overlap": overlapping_items,
    "AVIF that says it is small": lambda: resized(seeds()["AVIF"][0], b"ispe", 16, 16),
}
SIZES = {f"accepted {SIDE_PX[0]}x{SIDE_PX[1]}"}


@pytest.mark.parametrize("kind", KINDS)
def test_two_readers_never_see_two_sizes(kind: str) -> None:
    door, worker = answers(KINDS[kind](), MAX_PIXELS)
    assert door == worker
    assert door in SIZES or door in {"refused image_corrupt", "refused too_many_pixels"}


def test_a_frame_that_a_decoder_would_shrink_counts_whole() -> None:
    """libavif decodes 1024x768 and hands over 72x40."""
    assert answers(decoy(large_avif()), 1024 * 768 - 1) == ("refused too_many_pixels",) * 2
    assert answers(decoy(large_avif()), 1024 * 768)[0] in SIZES


def test_the_workers_memory_does_not_grow_for_any_of_them(tmp_path: Path) -> None:
    for index, kind in enumerate(KINDS):
        (tmp_path / f"{index:02}").write_bytes(KINDS[kind]())
    honest = tmp_path / "honest"
    for name, seed in seeds().items():
        (honest / name).parent.mkdir(exist_ok=True)
        (honest / name).write_bytes(seed[0])
    script = """
import json, resource, sys
from pathlib import Path
from tests.fuzz.door_and_worker import answers
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
folder = Path(sys.argv[1])
for photo in sorted((folder / "honest").iterdir()):
    answers(photo.read_bytes(), 64_000_000)
before = peak()
for photo in sorted(path for path in folder.iterdir() if path.is_file()):
    answers(photo.read_bytes(), 64_000_000)
print(json.dumps([before, peak()]))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before_mb, after_mb = json.loads(done.stdout)
    assert after_mb - before_mb < 16


def test_an_honest_photo_beside_its_lying_twin_is_accepted() -> None:
    for photos in seeds().values():
        for photo in photos:
            assert answers(photo)[0].startswith("accepted")


@pytest.mark.skipif(not CASES.is_dir(), reason=f"needs the odd photos in {CASES}")
def test_files_of_the_field_are_read_as_a_browser_reads_them() -> None:
    for path in sorted(CASES.iterdir()):
        if path.suffix not in {".jpg", ".png", ".webp", ".heic", ".heif", ".avif"}:
            continue
        content = path.read_bytes()
        if path.name.startswith("hidden_frame"):
            for read in (check, decode):
                with pytest.raises(FacekitError) as refused:
                    read(content, MAX_PIXELS)
                assert refused.value.code in {"too_many_pixels", "image_corrupt"}
            continue
        info = check(content, MAX_PIXELS)
        assert decode(content, MAX_PIXELS).shape == (info.height_px, info.width_px, 3), path.name


def test_png_with_a_large_profile_or_a_bad_text_is_accepted() -> None:
    large = io.BytesIO()
    Image.open(io.BytesIO(PNG)).save(large, "PNG", icc_profile=bytes(1_500_000))
    bad = bytearray(chunk(b"tEXt", b"Comment\0hello"))
    bad[-1] ^= 1
    for photo in (large.getvalue(), png(bytes(bad))):
        assert answers(photo)[1] in SIZES


JPEGS_THAT_BROWSERS_SHOW = {
    "no end marker": JPEG[:-2],
    "progressive, no end marker": PROGRESSIVE[:-2],
    "a vendor's trailer": JPEG[:-2] + b"\x00\x00\xff\x7cSEFHe\x00\x00" + bytes(50) + b"SEFT",
    "stray bytes between segments": with_segment(b"\x01\x02\x03\x04\x05", at=-1),
    "a short JFIF": with_segment(b"\xff\xe0\x00\x04\x00\x00"),
    "JFIF of an unknown version": with_segment(app(0, b"JFIF\0\x09\x09" + bytes(7))),
    "a broken APP13": with_segment(app(13, b"Photoshop 3.0\x008BIM" + b"\xff" * 9)),
    "a broken ICC profile": with_segment(app(2, b"ICC_PROFILE\0\x09\x01" + b"\xff" * 40)),
    "arithmetic coding": JPEG.replace(b"\xff\xc0", b"\xff\xc9", 1),
}


@pytest.mark.parametrize("photo", JPEGS_THAT_BROWSERS_SHOW.values(), ids=JPEGS_THAT_BROWSERS_SHOW)
def test_a_jpeg_that_browsers_show_is_accepted(photo: bytes) -> None:
    door, worker = answers(photo)
    assert door == worker
    assert door in SIZES


@pytest.mark.parametrize("photo", [JPEG, PROGRESSIVE], ids=["one scan", "progressive"])
@pytest.mark.parametrize("trailer", [b"", b"\xff\x7c" + b"SEFT" * 20, b"\xff\xd8\xff\xe0"])
def test_a_cut_scan_is_refused_whatever_follows(photo: bytes, trailer: bytes) -> None:
    start = photo.rindex(b"\xff\xda") + 14
    for end in range(start, len(photo) - 12, 7):
        cut = photo[:end].rstrip(b"\xff")
        assert answers(cut + trailer) == ("refused image_corrupt", "refused image_corrupt")


@pytest.mark.parametrize("bits", [10, 12])
def test_grey_heic_of_more_than_8_bits_keeps_its_greys(bits: int) -> None:
    import numpy as np
    import pillow_heif

    grey = np.asarray(picture(mode="L"))
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        buffer = io.BytesIO()
        pillow_heif.from_bytes("I;16", SIDE_PX, (grey.astype(np.uint16) * 257).tobytes()).save(buffer, quality=95)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    decoded = decode(buffer.getvalue(), MAX_PIXELS)
    assert np.abs(decoded.astype(int) - grey[:, :, None]).mean() < 3


@pytest.mark.parametrize(
    ("name", "inputs"), [("JPEG", 3000), ("PNG", 2000), ("WebP", 1500), ("HEIC", 400), ("AVIF", 200)]
)
def test_door_and_worker_agree_on_changed_photos(name: str, inputs: int) -> None:
    from tests.fuzz.door_and_worker import fuzz

    tally = fuzz(name, inputs, seed=7)
    assert [said for _, *said in tally.disagreements] == []
    assert tally.accepted and tally.refused
