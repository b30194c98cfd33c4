"""`prepare faces`: FairFace and UTKFace as face chips with labels and a held-out mask."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_SIZE_PX
from trainer.attributes.chips import Detector, cut_chip, find_landmarks, usual_landmarks
from trainer.attributes.fairface import LabelledPicture, read_fairface, read_utkface
from trainer.attributes.split import held_out, picture_key

BLOCK = 500


def prepare_faces(
    fairface: Path, utkface: Path, out: Path, detector: Detector | None, held_out_count: int, seed: int
) -> dict[str, int]:
    """Writes `chips.npy` (N, 160, 160, 3) uint8 RGB and `faces.npz` with a row a chip: name, source, age_years,
    age_bin, gender, ethnicity (UNKNOWN where the set has no label), found (aligned by the detector's landmarks, not
    by the set's usual ones) and held_out (`held_out_count` faces of either set). Returns counts."""
    pictures = read_fairface(fairface) + read_utkface(utkface)
    out.mkdir(parents=True, exist_ok=True)
    part = out / "chips.part.npy"
    chips = np.lib.format.open_memmap(
        part, mode="w+", dtype=np.uint8, shape=(len(pictures), CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    )
    keys: list[str] = []
    found: list[bool] = []
    for start in range(0, len(pictures), BLOCK):
        block = pictures[start : start + BLOCK]
        images = [_read(picture.file) for picture in block]
        keys += [picture_key(image) for image in images]
        marks = find_landmarks(images, detector) if detector is not None else [None] * len(images)
        for offset, (picture, image, landmarks) in enumerate(zip(block, images, marks, strict=True)):
            found.append(landmarks is not None)
            chips[start + offset] = _chip(picture, image, landmarks)
        print(f"{len(keys)} of {len(pictures)} chips, {sum(found)} aligned", flush=True)
    chips.flush()
    part.replace(out / "chips.npy")
    sources = np.array([picture.source for picture in pictures])
    mask = np.zeros(len(pictures), dtype=np.bool_)
    for source in ("fairface", "utkface"):
        rows = np.flatnonzero(sources == source)
        mask[rows] = held_out([keys[row] for row in rows], held_out_count, seed)
    mask |= np.isin(np.array(keys), np.array(keys)[mask])  # a picture that is in both sets
    np.savez(
        out / "faces.npz",
        name=np.array([picture.file.name for picture in pictures]),
        source=sources,
        age_years=np.array([picture.age_years for picture in pictures], dtype=np.int64),
        age_bin=np.array([picture.age_bin for picture in pictures], dtype=np.int64),
        gender=np.array([picture.gender for picture in pictures], dtype=np.int64),
        ethnicity=np.array([picture.ethnicity for picture in pictures], dtype=np.int64),
        found=np.array(found),
        held_out=mask,
    )
    counts = Counter(
        f"{source}_{'held_out' if hidden else 'training'}" for source, hidden in zip(sources, mask, strict=True)
    )
    return {**counts, "aligned": sum(found), "not_found": len(found) - sum(found)}


def _read(file: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"not a picture: {file}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _chip(
    picture: LabelledPicture, image: NDArray[np.uint8], landmarks: NDArray[np.float32] | None
) -> NDArray[np.uint8]:
    if landmarks is not None:
        try:
            return cut_chip(image, landmarks)
        except ValueError:  # coinciding points
            pass
    return cut_chip(image, usual_landmarks(picture.source, image))
