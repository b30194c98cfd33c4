"""Photos of every kind become the same upright RGB pixels, and nothing broken or oversized gets that far."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from services.common.errors import FacekitError, ImageCorrupt, ImageEmpty, TooManyPixels, UnsupportedFormat
from services.common.photos.image_format import ImageFormat, sniff
from services.common.photos.imaging import check, decode, encode_jpeg, probe
from services.common.photos.jpeg_markers import MAX_SCANS

MAX_PIXELS = 50_000_000
FORMATS = ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"]


def scene(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A smooth picture, different in each corner, so that a wrong turn or channel order shows."""
    y, x = np.mgrid[0:height, 0:width]
    channels = (255 * x / width, 255 * y / height, 200 - 120 * (x / width) * (y / height))
    return np.stack(channels, axis=2).astype(np.uint8)


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    if image_format == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, quality=90)
    else:
        image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def bomb(width: int, height: int) -> bytes:
    """A whole, valid PNG of one colour: a few KB of file, hundreds of MB of pixels."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    return png_header(width, height) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_known_by_its_content_and_keeps_its_colours(name: str) -> None:
    pixels = scene()
    content = encoded(Image.fromarray(pixels), name)
    info = probe(content, MAX_PIXELS)
    assert (info.width_px, info.height_px) == (96, 64)
    assert info.format is (ImageFormat.HEIC if name == "HEIF" else ImageFormat(name.lower()))
    assert check(content, MAX_PIXELS) == info
    decoded = decode(content, MAX_PIXELS)
    assert decoded.dtype == np.uint8
    assert decoded.shape == (64, 96, 3)
    assert decoded.flags.c_contiguous
    assert np.abs(decoded.astype(int) - pixels).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied_once(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if name == "WEBP" else {"quality": 95} if name == "JPEG" else {}
    content = encoded(Image.fromarray(scene()), name, exif=exif, **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
    decoded = decode(content, MAX_PIXELS)
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(int) - expected).mean() < 1
    info = probe(content, MAX_PIXELS)
    assert (info.height_px, info.width_px) == decoded.shape[:2]
    assert check(content, MAX_PIXELS) == info


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0.05, 0.3, 0.7, 0.99])
def test_a_cut_file_is_corrupt(name: str, kept: float) -> None:
    content = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)), name)
    cut = content[: int(len(content) * kept)]
    for read in (check, decode):
        with pytest.raises(ImageCorrupt):
            read(cut, MAX_PIXELS)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=str)
def test_whatever_in_a_jpeg_is_damaged_nothing_is_accepted_that_cannot_be_decoded(options: dict[str, object]) -> None:
    whole = encoded(Image.fromarray(scene(200, 150)), "JPEG", **options)
    random = np.random.default_rng(3)
    seen = set()
    for _ in range(300):
        damaged = bytearray(whole)
        for position in random.integers(2, len(whole), 3):
            damaged[position] = random.choice([0, 0xC4, 0xD9, 0xDA, 0xFF, random.integers(256)])
        accepted = _accepts(check, bytes(damaged))
        assert _accepts(decode, bytes(damaged)) or not accepted
        seen.add(accepted)
    assert seen == {True, False}


def _accepts(read: Callable[[bytes, int], object], content: bytes) -> bool:
    try:
        read(content, MAX_PIXELS)
    except FacekitError:
        return False
    return True


def test_a_progressive_jpeg_cut_between_two_scans_is_corrupt() -> None:
    content = encoded(Image.fromarray(scene(320, 240)), "JPEG", progressive=True)
    assert decode(content, MAX_PIXELS).shape == (240, 320, 3)
    with pytest.raises(ImageCorrupt):
        check(content[: content.rindex(b"\xff\xda")], MAX_PIXELS)


def test_a_jpeg_with_thousands_of_scans_is_refused() -> None:
    content = encoded(Image.fromarray(scene()), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    with pytest.raises(ImageCorrupt, match="scans"):
        check(content[:start] + content[start:-2] * (MAX_SCANS + 1) + b"\xff\xd9", MAX_PIXELS)


def test_what_stands_behind_a_jpeg_is_ignored() -> None:
    content = encoded(Image.fromarray(scene()), "JPEG")
    assert check(content + b"padding", MAX_PIXELS) == check(content, MAX_PIXELS)


def test_a_bomb_is_refused_by_its_header() -> None:
    content = bomb(10_000, 10_000)
    assert len(content) < 400_000
    for read in (probe, check, decode):
        with pytest.raises(TooManyPixels, match=r"100\.0 megapixels"):
            read(content, MAX_PIXELS)


def test_a_huge_header_raises_no_warning_from_pillow_first() -> None:
    with pytest.raises(TooManyPixels):
        probe(png_header(60_000, 60_000) + chunk(b"IDAT", b""), MAX_PIXELS)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ImageEmpty),
        (b"not a photo at all", UnsupportedFormat),
        (b"GIF89a" + bytes(20), UnsupportedFormat),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf", ImageCorrupt),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmif1miaf", ImageCorrupt),
        (b"\x00\x00\x00\x1cftypavis\x00\x00\x00\x00avifmif1miaf", UnsupportedFormat),
        (b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isomiso2avc1", UnsupportedFormat),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", UnsupportedFormat),
        (b"\xff\xd8\xff", ImageCorrupt),
        (b"\xff\xd8\xff\xd9", ImageCorrupt),
        (b"\x89PNG\r\n\x1a\n", ImageCorrupt),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", ImageCorrupt),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", ImageCorrupt),
    ],
)
def test_what_is_no_photo_says_why(content: bytes, error: type[FacekitError]) -> None:
    for read in (check, decode):
        with pytest.raises(error):
            read(content, MAX_PIXELS)


def test_gif_is_named() -> None:
    with pytest.raises(UnsupportedFormat, match="GIF"):
        sniff(encoded(Image.fromarray(scene()), "GIF")[:64])


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_transparency_becomes_white(name: str) -> None:
    rgba = np.dstack([scene(), np.zeros((64, 96), np.uint8)])
    rgba[:, :48, 3] = 255
    decoded = decode(
        encoded(Image.fromarray(rgba, "RGBA"), name, **({"lossless": True} if name == "WEBP" else {})), 10**7
    )
    assert (decoded[:, 48:] == 255).all()
    assert np.abs(decoded[:, :48].astype(int) - scene()[:, :48]).max() <= 1


def test_palette_grey_cmyk_and_16_bit() -> None:
    photo = Image.fromarray(scene())
    grey = np.asarray(photo.convert("L"))
    for content in (
        encoded(photo.convert("L"), "JPEG", quality=95),
        encoded(photo.convert("L"), "PNG"),
        encoded(photo.convert("LA"), "PNG"),
        encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
    ):
        decoded = decode(content, MAX_PIXELS)
        assert decoded.shape == (64, 96, 3)
        assert np.abs(decoded.astype(int) - grey[:, :, None]).mean() < 2
        assert check(content, MAX_PIXELS).width_px == 96
    for content in (encoded(photo.convert("CMYK"), "JPEG", quality=95), encoded(photo.quantize(256), "PNG")):
        assert np.abs(decode(content, MAX_PIXELS).astype(int) - scene()).mean() < 8


def test_damaged_exif_does_not_refuse_a_whole_photo() -> None:
    content = encoded(Image.fromarray(scene()), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert decode(content, MAX_PIXELS).shape == (64, 96, 3)
    assert check(content, MAX_PIXELS).width_px == 96


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 7), (3, 300)])
def test_a_photo_of_a_few_pixels_is_whole(width: int, height: int) -> None:
    """Less than one pixel would be left of a side at an eighth of its size."""
    content = encoded(Image.fromarray(scene(width, height)), "JPEG")
    assert check(content, MAX_PIXELS)[1:] == (width, height)
    assert decode(content, MAX_PIXELS).shape == (height, width, 3)


def test_written_jpegs_carry_no_metadata() -> None:
    content = encode_jpeg(scene(), quality=95)
    with Image.open(io.BytesIO(content)) as image:
        assert not image.getexif()
        assert "exif" not in image.info
    assert np.abs(decode(content, MAX_PIXELS).astype(int) - scene()).mean() < 3


@pytest.mark.parametrize(
    ("at_least_px", "shape"),
    [(None, (640, 960)), (960, (640, 960)), (480, (320, 480)), (481, (640, 960)), (200, (160, 240)), (1, (80, 120))],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_wanted_small_is_shrunk_by_its_decoder(
    at_least_px: int | None, shape: tuple[int, int], orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(scene(960, 640)), "JPEG", quality=95, exif=exif.tobytes())
    small = decode(content, MAX_PIXELS, at_least_px=at_least_px)
    upright = small if orientation == 1 else np.rot90(small)
    assert upright.shape == (*shape, 3)
    wanted = np.asarray(Image.fromarray(scene(960, 640)).resize(shape[::-1], Image.Resampling.BOX), dtype=int)
    assert abs(upright.astype(int) - wanted).max() < 12


def test_what_is_no_jpeg_comes_whole_however_small_it_is_wanted() -> None:
    content = encoded(Image.fromarray(scene()), "PNG")
    assert (decode(content, MAX_PIXELS, at_least_px=8) == scene()).all()
