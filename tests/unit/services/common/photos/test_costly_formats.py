"""A photo that takes more memory than a process may grow by is refused, and the process goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.fuzz.seeds import encoded, picture

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_DATA")

# 128 MB to spare, and what a photo of one megapixel takes: less than one of these.
LITTLE = """
import json, sys, threading
from pathlib import Path
from services.common.errors import FacekitError
from services.common.photos.imaging import check, decode
from services.common.photos.memory import limit_growth
folder = Path(sys.argv[1])
costly, plain = ((folder / name).read_bytes() for name in ("costly", "plain"))
decode(plain, 64_000_000)
limit_growth(1_000_000, photos_at_once=1, threads=8)
said = []
def read(photo):
    try:
        said.append(list(decode(photo, 64_000_000).shape))
    except FacekitError as error:
        said.append(error.code)
"""
IN_TURN = "read(costly); read(plain)"
BESIDE = """
threads = [threading.Thread(target=read, args=(photo,)) for photo in (costly, plain, plain, costly, plain, plain)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

COSTLY = {
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {}),
    "lossy WebP": ("WEBP", {}),
    "lossless WebP": ("WEBP", {"lossless": True, "quality": 0, "method": 0}),
    "AVIF": ("AVIF", {"speed": 10}),
    "HEIC": ("HEIF", {}),
}


def said(folder: Path, program: str, name: str) -> list[object]:
    image_format, options = COSTLY[name]
    (folder / "costly").write_bytes(encoded(Image.new("RGB", (8000, 6000), (90, 120, 20)), image_format, **options))
    (folder / "plain").write_bytes(encoded(picture(1000, 800), image_format))
    command = [sys.executable, "-c", f"{LITTLE}\n{program}\nprint(json.dumps(said))", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[object] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_photo_is_refused_and_the_next_one_decoded(tmp_path: Path, name: str) -> None:
    assert said(tmp_path, IN_TURN, name) == ["image_too_costly", [800, 1000, 3]]


def test_photos_decoded_beside_a_costly_one_do_not_suffer(tmp_path: Path) -> None:
    answers = said(tmp_path, BESIDE, "progressive JPEG")
    assert sorted(map(str, answers)) == ["[800, 1000, 3]"] * 4 + ["image_too_costly"] * 2
