"""A photo that takes more memory than there is ends its own job; others go on in the same process."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from services.common.errors import ImageTooCostly
from services.common.photos.memory import Decoding

ROOT = Path(__file__).resolve().parents[5]


def test_a_photo_that_fits_alone_is_decoded_alone() -> None:
    decoding, tries, started, let_go = Decoding(), list[str](), threading.Event(), threading.Event()

    def another() -> None:
        started.set()
        assert let_go.wait(10)
        tries.append("the other is done")

    def costly() -> str:
        tries.append("costly")
        if len(tries) == 1:
            let_go.set()
            raise MemoryError
        return "pixels"

    beside = threading.Thread(target=decoding.within_memory, args=(another,))
    beside.start()
    assert started.wait(10)
    assert decoding.within_memory(costly) == "pixels"
    beside.join()
    assert tries == ["costly", "the other is done", "costly"]


def test_a_photo_that_does_not_fit_alone_is_refused_and_others_go_on() -> None:
    decoding = Decoding()

    def costly() -> None:
        raise MemoryError

    with pytest.raises(ImageTooCostly):
        decoding.within_memory(costly)
    assert decoding.within_memory(lambda: 1) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its limit of data")
def test_a_detector_lives_on_after_a_photo_too_costly_for_it(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8000, 7900), (90, 80, 70)).save(buffer, "JPEG", progressive=True, subsampling=0)
    (tmp_path / "costly.jpg").write_bytes(buffer.getvalue())
    buffer = io.BytesIO()
    Image.new("RGB", (8000, 7900), (90, 80, 70)).save(buffer, "PNG", compress_level=1)
    (tmp_path / "costly.png").write_bytes(buffer.getvalue())
    script = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from services.common.errors import ImageTooCostly
from services.common.inference.bundle import load_bundle
from services.common.photos.imaging import check, decode
from services.common.photos.memory import limit_growth
from services.common.settings import Settings
from services.detector.stage import DetectorStage
from tests.photos import one_face
stage = DetectorStage()
model = stage.build({"detector": load_bundle(stage.bundle_folders["detector"])}, Settings(device="cpu"))
faces = lambda _=0: len(model.detect(decode(one_face(), 64_000_000)))
assert faces() == 1
assert limit_growth(2_000_000, photos_at_once=1, threads=20)
for name in ("costly.jpg", "costly.png"):
    for read in (check, decode):
        try:
            read((Path(sys.argv[1]) / name).read_bytes(), 64_000_000)
        except ImageTooCostly:
            assert faces() == 1
            continue
        raise SystemExit(f"{name} was not too costly for {read.__name__}")
with ThreadPoolExecutor(3) as pool:
    assert list(pool.map(faces, range(6))) == [1] * 6
print("well")
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "well"), done.stderr[-2000:]
