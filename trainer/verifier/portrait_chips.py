"""Portraits' pictures → chips, by the detector and the alignment that serving uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from trainer.attributes.chips import SHEET_TILES, Detector, cut_chip, find_landmarks, usual_landmarks
from trainer.verifier.portraits import Portrait

BLOCK = 8 * SHEET_TILES**2


def cut_chips(
    rows: Sequence[Portrait], folders: Mapping[str, Path], detector: Detector | None
) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """For each row its chip (160, 160, 3), and whether the detector's landmarks cut it. `folders` by source.

    Raises ValueError for a file that is no picture.
    """
    for start in tqdm(range(0, len(rows), BLOCK), desc="portraits", unit_scale=BLOCK, mininterval=5):
        block = rows[start : start + BLOCK]
        pictures = [_read(folders[row.source] / row.path) for row in block]
        marks = find_landmarks(pictures, detector) if detector else [None] * len(pictures)
        for row, picture, landmarks in zip(block, pictures, marks, strict=True):
            if landmarks is not None:
                try:
                    yield cut_chip(picture, landmarks), True
                    continue
                except ValueError:  # coinciding points
                    pass
            yield cut_chip(picture, usual_landmarks(row.source, picture)), False


def _read(file: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"not a picture: {file.name}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
