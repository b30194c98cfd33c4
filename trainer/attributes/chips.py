"""Face chips for training, cut as serving cuts them: our detector's landmarks, `boxes.align_face`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import align_face

# Pictures of the three sets are single faces of 48 to 224 px. Twenty-five of them at a time on one sheet are found as
# well as one by one, in a twentieth of the time.
TILE_PX: Final = 112
GAP_PX: Final = 16
SHEET_TILES: Final = 5

# Where the faces of each set lie when the detector finds none, in shares of the picture's side: left and right eye,
# nose, mouth corners (the sets come aligned; these are the medians of the faces that were found).
USUAL_LANDMARKS: Final[dict[str, list[list[float]]]] = {
    "fairface": [[0.314, 0.3], [0.686, 0.3], [0.5, 0.527], [0.331, 0.695], [0.669, 0.695]],
    "utkface": [[0.3, 0.292], [0.7, 0.292], [0.5, 0.528], [0.309, 0.703], [0.691, 0.703]],
    "fer2013": [[0.308, 0.378], [0.692, 0.378], [0.5, 0.591], [0.329, 0.758], [0.671, 0.758]],
}


class Found(Protocol):
    """What a detector answers: boxes (N, 4), and landmarks (N, 5, 2), pixels."""

    @property
    def boxes_xyxy(self) -> NDArray[np.float32]: ...
    @property
    def landmarks_xy(self) -> NDArray[np.float32]: ...


class Detector(Protocol):
    def detect(self, image_rgb: NDArray[np.uint8], *, min_confidence: float | None = None) -> Found: ...


def find_landmarks(
    pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], detector: Detector, min_confidence: float = 0.3
) -> Iterator[NDArray[np.float32] | None]:
    """For each RGB picture the landmarks (5, 2) of its main face, in its own pixels, or None."""
    per_sheet = SHEET_TILES**2
    for start in range(0, len(pictures), per_sheet):
        part = pictures[start : start + per_sheet]
        sheet = np.full((SHEET_TILES * (TILE_PX + GAP_PX),) * 2 + (3,), 114, dtype=np.uint8)
        for index, picture in enumerate(part):
            left, top = _corner(index)
            sheet[top : top + TILE_PX, left : left + TILE_PX] = _tile(picture)
        found = detector.detect(sheet, min_confidence=min_confidence)
        for index, picture in enumerate(part):
            yield _main_face(found, _corner(index), picture.shape)


def _corner(index: int) -> tuple[int, int]:
    row, column = divmod(index, SHEET_TILES)
    pitch = TILE_PX + GAP_PX
    return column * pitch + GAP_PX // 2, row * pitch + GAP_PX // 2


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    kind = cv2.INTER_AREA if picture.shape[0] > TILE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (TILE_PX, TILE_PX), interpolation=kind), dtype=np.uint8)


def _main_face(found: Found, corner_xy: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """The face whose centre lies in the tile's middle half; of several the one with the largest box."""
    centres = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2 - np.array(corner_xy, dtype=np.float32)
    inside = np.flatnonzero((np.abs(centres - TILE_PX / 2) <= TILE_PX / 4).all(axis=1))
    if not len(inside):
        return None
    sides = found.boxes_xyxy[inside, 2:] - found.boxes_xyxy[inside, :2]
    best = inside[int(np.argmax(sides.prod(axis=1)))]
    scale = np.array([shape[1], shape[0]], dtype=np.float32) / TILE_PX
    return ((found.landmarks_xy[best] - np.array(corner_xy, dtype=np.float32)) * scale).astype(np.float32)


def cut_chip(picture: NDArray[np.uint8], landmarks_xy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`align_face` on a picture that goes on in its mirror image, so that a chip of these tightly cut sets has no
    black frame that faces in real photos do not have either."""
    height, width = picture.shape[:2]
    grown = cv2.copyMakeBorder(picture, height, height, width, width, cv2.BORDER_REFLECT_101)
    return align_face(np.asarray(grown, dtype=np.uint8), landmarks_xy + np.array([width, height], dtype=np.float32))


def usual_landmarks(source: str, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Landmarks (5, 2) in the picture's pixels for a face that was not found."""
    height, width = picture.shape[:2]
    return np.array(USUAL_LANDMARKS[source], dtype=np.float32) * np.array([width, height], dtype=np.float32)
