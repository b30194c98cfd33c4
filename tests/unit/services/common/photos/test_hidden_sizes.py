"""A photo that hides a large picture is refused at the door, or decoded at exactly the size that was checked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from services.common.photos.imaging import check, decode
from tests.fuzz.bombs import bombs
from tests.fuzz.door_and_worker import answers, fuzz
from tests.fuzz.seeds import seeds
from tests.shared import SHARED

LIMIT_PX = 64_000_000
# Of one picture within the limit of `FRAME` pixels and the readers' own buffers; a hidden one takes 300 MB and more.
UNCHANGED_MB = 24
CODES = {"refused image_corrupt", "refused too_many_pixels", "refused unsupported_format"}
CASES = SHARED / "cases"
HIDDEN = CASES / "hidden_frame_192_megapixels.jpg"

MEET_THEM_ALL = f"""
import json, resource, sys, warnings
from tests.fuzz.bombs import bombs, honest_again
from tests.fuzz.door_and_worker import answers
warnings.simplefilter("ignore")
def peak_mb():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
photos = bombs()
plain, _ = honest_again()
answers(plain)
from tests.fuzz.seeds import seeds
for each in seeds().values():
    answers(each[0])
before = peak_mb()
costs, at = {{}}, before
for name, photo in photos.items():
    answers(photo, {LIMIT_PX})
    costs[name], at = peak_mb() - at, peak_mb()
print(json.dumps({{"before": before, "after": peak_mb(), "costs": costs, "plain": answers(plain)}}))
"""


@pytest.mark.parametrize("name", bombs())
def test_what_hides_in_a_photo_is_not_decoded(name: str) -> None:
    photo = bombs()[name]
    door, worker = answers(photo, LIMIT_PX)
    assert door == worker
    assert door in CODES or door.startswith("accepted"), door
    if door.startswith("accepted"):
        width, height = map(int, door.removeprefix("accepted ").split("x"))
        assert width * height <= 1024 * 768  # no more than its largest frame: none is as large as `LARGE`


def test_a_frame_that_a_decoder_would_shrink_counts_whole() -> None:
    """libavif decodes 1024x768 and hands over 72x40."""
    photo = bombs()["avif decoy beside a small size"]
    assert answers(photo, 1024 * 768 - 1) == ("refused too_many_pixels",) * 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_meets_them_all_grows_by_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", MEET_THEM_ALL], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    met = json.loads(done.stdout)
    assert met["plain"][0] == met["plain"][1] == "accepted 72x40"
    assert met["after"] - met["before"] < UNCHANGED_MB, met


@pytest.mark.parametrize("name", seeds())
def test_door_and_worker_agree_on_changed_photos(name: str) -> None:
    """The first of what `make fuzz` tries."""
    tally = fuzz(name, 400, seed=1)
    assert [(door, worker) for _, door, worker in tally.disagreements] == []
    assert tally.accepted
    assert set(tally.refused) <= {"image_corrupt", "too_many_pixels", "unsupported_format"}


@pytest.mark.skipif(not CASES.is_dir(), reason=f"needs the odd photos in {CASES}")
def test_odd_photos_of_the_field_are_accepted_as_a_browser_shows_them() -> None:
    for path in sorted(CASES.iterdir()):
        if path == HIDDEN:
            continue
        content = path.read_bytes()
        info = check(content, LIMIT_PX)
        assert decode(content, LIMIT_PX).shape == (info.height_px, info.width_px, 3), path.name


@pytest.mark.skipif(not HIDDEN.is_file(), reason=f"needs {HIDDEN}")
def test_the_hidden_frame_of_192_megapixels_is_refused() -> None:
    assert answers(HIDDEN.read_bytes(), LIMIT_PX) == ("refused too_many_pixels",) * 2
