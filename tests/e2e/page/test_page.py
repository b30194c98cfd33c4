"""The page in Debian's Chromium against the embedded system with the real models: the flows are beside this file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from scripts.embedded.free_port import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
READY_TIMEOUT_S = 240.0
FLOWS_TIMEOUT_S = 240.0
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def needed(present: bool, what: str) -> None:
    """Missing tools skip the tests on someone's machine, and fail them in CI."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"the page's tests need {what}")
    pytest.skip(f"the page's tests need {what}")


@dataclass(frozen=True)
class Stack:
    url: str
    home: Path


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The one person the project may show: a portrait, three times on two megapixels, thirty times on 48."""
    from pillow_heif import register_heif_opener
    from skimage.data import astronaut

    folder = tmp_path_factory.mktemp("photos")
    portrait = Image.fromarray(astronaut())
    portrait.save(folder / "face.jpg", quality=92)
    register_heif_opener()
    portrait.save(folder / "face.heic", quality=80)
    wall = Image.new("RGB", (1632, 1224), (58, 66, 72))
    for column in range(3):
        head = portrait.crop((130, 0, 330, 240)).resize((420 - column * 90, 504 - column * 108))
        wall.paste(head, (60 + column * 520, 120 + column * 150))
    wall.save(folder / "two-megapixels.jpg", quality=90)
    crowd = Image.new("RGB", (8000, 6000), (58, 66, 72))
    head = portrait.crop((130, 0, 330, 240)).resize((900, 1080))
    for place in range(30):
        crowd.paste(head, (150 + place % 6 * 1300, 40 + place // 6 * 1180))
    crowd.save(folder / "crowd.jpg", quality=80)
    return {
        "FACEKIT_PAGE_FACE": folder / "face.jpg",
        "FACEKIT_PAGE_PHOTO_2MP": folder / "two-megapixels.jpg",
        "FACEKIT_PAGE_HEIC": folder / "face.heic",
        "FACEKIT_PAGE_CROWD": folder / "crowd.jpg",
    }


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    needed(Path(CHROMIUM).exists(), "Chromium (Debian's package chromium, or CHROMIUM=/path)")
    needed(shutil.which("node") is not None, "Node.js 20 or newer")
    needed((HERE / "node_modules" / "playwright-core").exists(), "`make page-tools`")
    home = tmp_path_factory.mktemp("facekit")
    url = f"http://127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "FACEKIT_HOME": str(home),
        "FACEKIT_PORT": url.rpartition(":")[2],
        "FACEKIT_LEASE_S": "4",
        "FACEKIT_SWEEP_INTERVAL_S": "1",
    }
    log = home / "launcher.log"
    with log.open("wb") as output:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "scripts.embedded"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while b"ready after" not in log.read_bytes():
            if launcher.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the embedded system did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield Stack(url, home)
    finally:
        launcher.send_signal(signal.SIGTERM)
        try:
            launcher.wait(30)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()


@pytest.mark.slow
# In this order: the last file leaves the stack as a killed worker does.
@pytest.mark.parametrize("flows", ["detect", "verify", "history", "states"])
def test_page(flows: str, stack: Stack, photos: dict[str, Path], tmp_path: Path) -> None:
    run(flows, stack, photos, tmp_path)


@pytest.mark.timing
def test_the_page_and_its_frames_are_soon_there(stack: Stack, photos: dict[str, Path], tmp_path: Path) -> None:
    run("detect", stack, photos, tmp_path, "--test-name-pattern=at once|soon", FACEKIT_PAGE_TIMING="1")


def run(flows: str, stack: Stack, photos: dict[str, Path], failures: Path, *options: str, **variables: str) -> None:
    """A file of flows in the browser; pictures of what failed go to `failures`."""
    environment = {
        **os.environ,
        **variables,
        **{name: str(path) for name, path in photos.items()},
        "CHROMIUM": CHROMIUM,
        "FACEKIT_PAGE_URL": stack.url,
        "FACEKIT_PAGE_HOME": str(stack.home),
        "FACEKIT_PAGE_FAILURES": str(failures),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", *options, str(HERE / f"{flows}.test.js")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=FLOWS_TIMEOUT_S,
    )
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nPictures of the failures: {failures}"
