"""FairFace, UTKFace and FER2013 in their public layouts, a few generated pictures each."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.attributes.labels import EMOTIONS, FAIRFACE_ETHNICITIES

BINS = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")


def picture(seed: int, side_px: int, channels: int = 3) -> NDArray[np.uint8]:
    """Soft blobs, other ones for each seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (6, 6, channels), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (side_px, side_px), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def make_fairface(folder: Path, count: int = 36) -> Path:
    (folder / "train").mkdir(parents=True)
    groups = list(FAIRFACE_ETHNICITIES)
    with (folder / "fairface_label_train.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file", "age", "gender", "race", "service_test"])
        for index in range(count):
            gender = ("Male", "Female")[index % 2]
            writer.writerow(
                [f"train/{index}.jpg", BINS[index % len(BINS)], gender, groups[index % len(groups)], "True"]
            )
            cv2.imwrite(str(folder / "train" / f"{index}.jpg"), picture(index, 112))
    return folder


def make_utkface(folder: Path, count: int = 24) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        name = f"{index * 4}_{index % 2}_{index % 5}_201701031619{index:05d}.jpg"
        cv2.imwrite(str(folder / name), picture(1000 + index, 100))
    cv2.imwrite(str(folder / "61_1_20170109150557335.jpg"), picture(1, 100))  # the public set has such a one
    cv2.imwrite(str(folder / "110_0_0_20170109150557335.jpg"), picture(2, 100))
    return folder


def make_fer2013(folder: Path, each: int = 6) -> Path:
    for number, emotion in enumerate(EMOTIONS):
        (folder / "train" / emotion).mkdir(parents=True)
        for index in range(each):
            grey = picture(2000 + 100 * number + index, 48, channels=1)
            cv2.imwrite(str(folder / "train" / emotion / f"Training_{index}.png"), grey)
    return folder
