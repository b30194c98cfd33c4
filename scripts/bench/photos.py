"""Photos to measure with: a folder of one's own, or groups composed of scikit-image's public-domain astronaut."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from skimage import data

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif"}


def folder_photos(folder: Path) -> list[bytes]:
    """Every photo of a folder, by name. Raises ValueError when there is none."""
    photos = [path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not photos:
        raise ValueError(f"{folder} holds no photo ({', '.join(sorted(SUFFIXES))})")
    return photos


def composed_photos(count: int, width: int = 1280, height: int = 960) -> list[bytes]:
    """JPEGs of one to eight faces, each 70 to 220 px wide, over changing ground; always the same for a count."""
    random = np.random.default_rng(0)
    head = Image.fromarray(data.astronaut()[0:260, 95:355])
    grounds = [Image.fromarray(image).convert("RGB") for image in (data.coffee(), data.rocket(), data.chelsea())]
    photos = []
    for index in range(count):
        photo = grounds[index % len(grounds)].resize((width, height), Image.Resampling.BICUBIC)
        slots = random.permutation(8)[: 1 + index % 8]
        for slot in slots:
            side = int(random.integers(140, min(width // 4, height // 2)))
            face = head.resize((side, side), Image.Resampling.LANCZOS)
            face = ImageEnhance.Brightness(face).enhance(float(random.uniform(0.7, 1.3)))
            photo.paste(face, (int(slot % 4) * width // 4, int(slot // 4) * height // 2))
        encoded = io.BytesIO()
        photo.save(encoded, "JPEG", quality=90)
        photos.append(encoded.getvalue())
    return photos
