"""Pictures without a face, to count false alarms on: bundled with scikit-image, cut from backgrounds, generated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from trainer.detector.widerface import find_photo, read_annotations

Picture = NDArray[np.uint8]

# Every picture scikit-image bundles that shows no face (coins and camera do).
SCIKIT_PICTURES: tuple[str, ...] = (
    *("brick", "chelsea", "clock", "coffee", "colorwheel", "grass", "gravel", "horse", "hubble_deep_field"),
    *("immunohistochemistry", "logo", "microaneurysms", "moon", "page", "retina", "rocket", "text"),
)
GENERATED = 80
BACKGROUND_CROPS = 160
MIN_CROP_PX = 96
CLEARANCE_PX = 12  # between a crop and any annotated face


def face_free_pictures(widerface: Path | None, seed: int = 0) -> Iterator[tuple[str, Picture]]:
    """(name, RGB picture), the same ones for the same seed; background crops need WIDER's validation photos."""
    for name in SCIKIT_PICTURES:
        yield f"scikit-image {name}", _as_rgb(getattr(skimage.data, name)())
    rng = np.random.default_rng(seed)
    for index in range(GENERATED):
        yield f"generated {index}", generated_picture(rng)
    if widerface is not None:
        yield from _background_crops(widerface, rng)


def generated_picture(rng: np.random.Generator) -> Picture:
    """Smooth noise with random ellipses, lines, dots and letters on it: round things in face-like colours included."""
    height, width = (int(n) for n in rng.integers(200, 720, size=2))
    coarse = rng.integers(0, 256, size=(int(rng.integers(2, 24)), int(rng.integers(2, 24)), 3)).astype(np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(0, 30))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        colour = tuple(int(c) for c in rng.integers(0, 256, size=3))
        size = int(rng.integers(2, 80))
        match int(rng.integers(4)):
            case 0:
                cv2.ellipse(picture, (x, y), (size, int(size * rng.uniform(0.6, 1.5))), 0, 0, 360, colour, -1)
            case 1:
                cv2.line(picture, (x, y), (int(rng.integers(width)), int(rng.integers(height))), colour, 1 + size // 16)
            case 2:
                cv2.circle(picture, (x, y), max(1, size // 8), colour, -1)
            case _:
                cv2.putText(picture, chr(int(rng.integers(33, 126))), (x, y), 0, size / 20, colour, 2)
    noise = rng.normal(0, rng.uniform(0, 20), size=picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _background_crops(widerface: Path, rng: np.random.Generator) -> Iterator[tuple[str, Picture]]:
    """Up to two crops a validation photo that keep clear of every annotated box, invalid ones too."""
    made = 0
    for annotation in read_annotations(widerface / "wider_face_split" / "wider_face_val_bbx_gt.txt"):
        photo = find_photo(widerface / "WIDER_val" / "images", annotation.name)
        image = None if photo is None else cv2.imread(str(photo), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            continue
        height, width = image.shape[:2]
        boxes = annotation.boxes_xywh
        low, high = boxes[:, :2] - CLEARANCE_PX, boxes[:, :2] + boxes[:, 2:] + CLEARANCE_PX
        largest = min(height, width) * 3 // 4
        for part in range(2):
            for _ in range(60):
                size = int(rng.integers(MIN_CROP_PX, max(largest, MIN_CROP_PX + 1)))
                if size > min(height, width):
                    break
                x, y = int(rng.integers(0, width - size + 1)), int(rng.integers(0, height - size + 1))
                if not ((low < (x + size, y + size)) & (high > (x, y))).all(axis=1).any():
                    yield f"background {photo.stem if photo else ''} {part}", _as_rgb(image[y : y + size, x : x + size])
                    made += 1
                    break
        if made >= BACKGROUND_CROPS:
            return


def _as_rgb(picture: NDArray[Any]) -> Picture:
    if picture.dtype != np.uint8:
        picture = (picture.astype(np.float32) * 255).astype(np.uint8)
    if picture.ndim == 2:
        picture = np.stack([picture] * 3, axis=-1)
    return np.ascontiguousarray(picture[..., :3])
