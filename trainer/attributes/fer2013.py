"""FER2013 in its public folder layout: `train/<emotion>/*.{png,jpg,webp}`, 48x48 grey."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.analyzer.framing import EMOTION_WINDOW
from trainer.attributes.as_served import emotion_input
from trainer.attributes.chips import Detector, cut_chip, find_landmarks
from trainer.attributes.labels import EMOTIONS
from trainer.attributes.split import held_out, picture_key

FER_SIZE_PX = 48
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def read_fer2013(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Pixels (N, 48, 48) grey, classes (N,) in EMOTIONS' order, and each picture's name. Raises FileNotFoundError."""
    pixels, classes, names = [], [], []
    for index, emotion in enumerate(EMOTIONS):
        files = sorted(path for path in (folder / emotion).glob("*") if path.suffix.lower() in PICTURES)
        if not files:
            raise FileNotFoundError(f"no pictures in {folder / emotion}")
        for file in files:
            image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            if image is None:
                raise ValueError(f"not a picture: {file}")
            pixels.append(cv2.resize(image, (FER_SIZE_PX, FER_SIZE_PX)))
            classes.append(index)
            names.append(f"{emotion}/{file.name}")
    return np.stack(pixels).astype(np.uint8), np.array(classes, dtype=np.int64), names


def prepare_emotion(
    fer2013: Path, out: Path, detector: Detector | None, held_out_count: int, seed: int
) -> dict[str, int]:
    """Writes `emotion.npz`: pixels and classes (N), names, held_out (the mask of faces no training step sees), and
    `aligned`, the same faces as serving frames them: found by the detector, cut as a chip, its emotion window at 48 px;
    where `found` is False, the picture itself. Returns counts."""
    pixels, classes, names = read_fer2013(fer2013 / "train" if (fer2013 / "train").is_dir() else fer2013)
    mask = held_out([picture_key(image) for image in pixels], held_out_count, seed)
    aligned, found = pixels.copy(), np.zeros(len(pixels), dtype=np.bool_)
    if detector is not None:
        colour = np.repeat(pixels[..., None], 3, axis=3)
        for index, landmarks in enumerate(find_landmarks(colour, detector)):
            if landmarks is not None:
                found[index] = True
                aligned[index] = as_framed(colour[index], landmarks)
            if (index + 1) % 1000 == 0:
                print(f"{index + 1} of {len(pixels)} faces, {int(found.sum())} aligned", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    np.savez(
        out / "emotion.npz",
        pixels=pixels,
        classes=classes,
        names=np.array(names),
        held_out=mask,
        aligned=aligned,
        found=found,
    )
    return {"training": int((~mask).sum()), "held_out": int(mask.sum()), "aligned": int(found.sum())}


def as_framed(picture: NDArray[np.uint8], landmarks_xy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture's face as serving shows it to the emotion graph, grey (48, 48)."""
    crop = EMOTION_WINDOW.cut(cut_chip(picture, landmarks_xy)[None])[0]
    return (emotion_input(crop)[..., 0] * 255).round().astype(np.uint8)
