"""Photos with changed headers: segments, chunks and boxes doubled, moved, forged, with sizes and lengths that lie."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable

HEADER_BYTES = 1200  # of a small photo: what is changed byte by byte lies before
SIZES = (0, 1, 7, 8, 40, 41, 72, 73, 999, 1000, 4096, 8000, 16384, 65535)
PNG_BYTES = 8  # its signature


def mutant(seed: bytes, name: str, chance: random.Random) -> bytes:
    """One to three changes, most of them such as only this format knows."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        change = BY_FORMAT[name] if chance.random() < 0.75 else _bytes
        seed = change(seed, chance)
    return seed


def _bytes(photo: bytes, chance: random.Random) -> bytes:
    changed = bytearray(photo)
    end = min(len(changed), HEADER_BYTES if chance.random() < 0.8 else len(changed))
    match chance.randrange(4):
        case 0:
            return photo[: chance.randrange(len(photo) // 2, len(photo))]
        case 1:
            at = chance.randrange(12, end)
            changed[at:at] = chance.randbytes(chance.choice((1, 2, 4, 17)))
        case _:
            for _ in range(chance.choice((1, 1, 2, 5))):
                changed[chance.randrange(12, end)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(changed)


def frame_header(width: int, height: int, marker: int = 0xC0) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\1\x22\0\2\x11\1\3\x11\1"


def jpeg_segments(photo: bytes) -> list[bytes]:
    """SOI, each segment up to the first scan, and the rest as one."""
    parts, at = [photo[:2]], 2
    while at + 4 <= len(photo) and photo[at] == 0xFF and photo[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(photo[at + 2 : at + 4], "big")
        parts.append(photo[at:end])
        at = end
    return [*parts, photo[at:]]


def _jpeg(photo: bytes, chance: random.Random) -> bytes:
    parts = jpeg_segments(photo)
    at = chance.randrange(1, len(parts) + 1)
    forged = frame_header(chance.choice(SIZES), chance.choice(SIZES), chance.choice((0xC0, 0xC0, 0xC1, 0xC2, 0xC9)))
    match chance.randrange(9):
        case 0:
            parts.insert(at, forged)
        case 1:
            parts.insert(at, b"\xff\xe2" + struct.pack(">H", len(forged) + chance.choice((0, 2, 4))) + forged)
        case 2:
            parts.insert(at, chance.choice((b"\xff\x01", b"\xff\xd3", b"\xff\xff", b"\xff\x00", b"\0\0", b"\xff\x02")))
        case 3:
            parts.insert(at, b"\xff" + bytes([chance.choice((1, 0xD0, 0xE1, 0xFE, 0xF0))]) + forged[:2] + forged)
        case 4:
            parts.insert(at, b"\xff\xdc\x00\x04" + struct.pack(">H", chance.choice(SIZES)))
        case 5:
            moved = parts.pop(chance.randrange(1, len(parts)))
            parts.insert(chance.randrange(1, len(parts) + 1), moved)
        case 6:
            parts.insert(at, parts[chance.randrange(1, len(parts))])
        case 7:
            index = chance.randrange(len(parts))
            part = parts[index]
            parts[index] = part[:2] + struct.pack(">H", chance.choice((0, 1, 2, 3, 8, 16, 18, 65535))) + part[4:]
        case _:
            whole = b"".join(parts)
            scan = whole.rfind(b"\xff\xda")
            cut = chance.randrange(max(scan, 2), len(whole))
            return whole[:cut] + chance.choice((b"", forged, b"\xff\xd9", b"SEFT" * 9, whole[scan:]))
    return b"".join(parts)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png_chunks(photo: bytes) -> list[bytes]:
    parts, at = [], PNG_BYTES
    while at + 12 <= len(photo):
        end = at + 12 + int.from_bytes(photo[at : at + 4], "big")
        parts.append(photo[at:end])
        at = end
    return parts


def _png(photo: bytes, chance: random.Random) -> bytes:
    parts = png_chunks(photo)
    if len(parts) < 2:
        return photo
    at = chance.randrange(len(parts) + 1)
    size = chance.choice(SIZES), chance.choice(SIZES)
    match chance.randrange(8):
        case 0:
            parts.insert(at, ihdr(*size, chance.choice((1, 8, 16)), chance.choice((0, 2, 3, 6))))
        case 1:
            parts[0] = ihdr(*size, chance.choice((1, 8, 16)), chance.choice((0, 2, 3, 6)))
        case 2:
            parts.insert(at, chunk(b"acTL", struct.pack(">II", 2, 0)))
            frame = struct.pack(">IIIIIHHBB", 0, *size, 0, 0, 1, 10, 0, 0)
            parts.insert(chance.randrange(at, len(parts) + 1), chunk(b"fcTL", frame))
        case 3:
            text = bytearray(chunk(chance.choice((b"tEXt", b"iCCP", b"zTXt", b"eXIf")), chance.randbytes(30)))
            text[-1] ^= chance.choice((0, 1))
            parts.insert(at, bytes(text))
        case 4:
            parts.insert(at, parts.pop(chance.randrange(len(parts))))
        case 5:
            parts.insert(at, parts[chance.randrange(len(parts))])
        case 6:
            del parts[chance.randrange(len(parts))]
        case _:
            index = chance.randrange(len(parts))
            lie = struct.pack(">I", chance.choice((0, 1, 12, 13, 14, 2**31 - 1, 2**32 - 1)))
            parts[index] = lie + parts[index][4:]
    return photo[:PNG_BYTES] + b"".join(parts)


def riff(parts: list[bytes]) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def vp8x(width: int, height: int, flags: int = 0) -> bytes:
    sizes = struct.pack("<I", max(width - 1, 0))[:3] + struct.pack("<I", max(height - 1, 0))[:3]
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


def riff_chunks(photo: bytes) -> list[bytes]:
    parts, at = [], 12
    while at + 8 <= len(photo):
        size = int.from_bytes(photo[at + 4 : at + 8], "little")
        parts.append(photo[at : at + 8 + size + size % 2])
        at += len(parts[-1])
    return parts


def _webp(photo: bytes, chance: random.Random) -> bytes:
    parts = riff_chunks(photo)
    if not parts:
        return photo
    at = chance.randrange(len(parts) + 1)
    size = chance.choice(SIZES), chance.choice(SIZES)
    match chance.randrange(6):
        case 0:
            parts.insert(0, vp8x(*size, chance.choice((0, 2, 16, 18))))
        case 1 if parts[0][:4] == b"VP8X":
            parts[0] = vp8x(*size, parts[0][8])
        case 2:
            frame = struct.pack("<I", 0)[:3] * 2 + b"".join(struct.pack("<I", n)[:3] for n in (*size, 50)) + b"\0"
            parts.insert(at, riff_chunk(b"ANMF", frame + parts[-1]))
        case 3:
            parts.insert(at, parts[chance.randrange(len(parts))])
        case 4:
            parts.insert(at, parts.pop(chance.randrange(len(parts))))
        case _:
            index = chance.randrange(len(parts))
            picture = bytearray(parts[index])
            if len(picture) > 18:
                picture[chance.randrange(8, 18)] = chance.randrange(256)
            parts[index] = bytes(picture)
    return riff(parts)


BOXES = re.compile(rb"ispe|irot|imir|clap|pixi|hvcC|av1C|ipma|iloc|iinf|pitm|iref|grid|idat|infe|auxC")


def _boxes(photo: bytes, chance: random.Random) -> bytes:
    """In HEIC and AVIF: other sizes, other turns, other numbers in whatever box."""
    changed = bytearray(photo)
    at = chance.choice([match.start() for match in BOXES.finditer(photo)] or [4])
    if photo[at : at + 4] == b"ispe" and chance.random() < 0.7:
        lie = struct.pack(">II", chance.choice(SIZES), chance.choice(SIZES))
        changed[at + 8 : at + 16] = lie
    elif chance.random() < 0.2:
        changed[at : at + 4] = chance.choice((b"irot", b"imir", b"clap", b"ispe", b"free"))
    else:
        for _ in range(chance.choice((1, 1, 2))):
            changed[min(at + chance.randrange(-4, 24), len(changed) - 1)] = chance.choice((0, 1, 2, 255, 128))
    return bytes(changed)


BY_FORMAT: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WebP": _webp,
    "HEIC": _boxes,
    "AVIF": _boxes,
}
