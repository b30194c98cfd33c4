"""`make screenshots`: README's three pictures, taken of the embedded system at work.

The photos are scikit-image's: the public-domain astronaut, the one person the project may show, and a cup of coffee.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps
from skimage.data import astronaut, coffee

from scripts.embedded.home import CannotStart
from scripts.embedded.stack import EmbeddedStack, apart

HERE = Path(__file__).parent
TIMEOUT_S = 180
QUALITY = 88


def make_photos(folder: Path) -> None:
    """`face.jpg`; `group.jpg`, that face turned round, without colour and too poor to judge; `cup.jpg`, nobody."""
    portrait = Image.fromarray(astronaut())
    portrait.save(folder / "face.jpg", quality=92)
    head = portrait.crop((110, 0, 350, 300))
    poor = head.resize((48, 60)).filter(ImageFilter.GaussianBlur(1)).resize((120, 150))
    group = Image.new("RGB", (900, 430), (42, 48, 54))
    group.paste(ImageOps.mirror(head).resize((300, 375)), (40, 28))
    group.paste(ImageOps.grayscale(head).resize((300, 375)).convert("RGB"), (380, 28))
    group.paste(poor, (735, 140))
    group.save(folder / "group.jpg", quality=92)
    Image.fromarray(coffee()).save(folder / "cup.jpg", quality=92)


def take(url: str, folder: Path) -> None:
    """Raises CalledProcessError when the page does not come as far as its pictures."""
    environment = {**os.environ, "CHROMIUM": shutil.which("chromium") or "/usr/bin/chromium", "NO_PROXY": "127.0.0.1"}
    subprocess.run(["node", str(HERE / "take.js"), url, str(folder)], env=environment, check=True, timeout=TIMEOUT_S)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder)
        stack = EmbeddedStack(apart(folder / "home"))
        try:
            stack.start()
            take(stack.url, folder)
        except (CannotStart, subprocess.CalledProcessError) as error:
            print(f"facekit: {error}", file=sys.stderr)
            return 1
        finally:
            stack.stop()
        for picture in sorted(folder.glob("*.png")):
            target = HERE / f"{picture.stem}.webp"
            Image.open(picture).convert("RGB").save(target, quality=QUALITY, method=6)
            print(f"{target.relative_to(Path.cwd())}: {target.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
