"""WIDER FACE as published: the annotation text files and the photos they name.

Format: http://shuoyang1213.me/WIDERFACE/ (`wider_face_train_bbx_gt.txt`): a photo's relative name, a count, then a line
`x y w h blur expression illumination invalid occlusion pose` for each face, pixels. A photo without faces has count 0
followed by one line of zeros.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LANDMARK_COUNT = 5


@dataclass(frozen=True)
class PhotoAnnotation:
    """The faces of one photo, in annotation order.

    boxes_xywh: (N, 4) pixels, as written (may be degenerate); invalid: (N,) bool, WIDER's own "do not judge" flag;
    landmarks_xy: (N, 5, 2) pixels, NaN where the set gives none.
    """

    name: str
    boxes_xywh: NDArray[np.float32]
    invalid: NDArray[np.bool_]
    landmarks_xy: NDArray[np.float32]


def read_annotations(boxes_file: Path, landmarks_file: Path | None = None) -> Iterator[PhotoAnnotation]:
    """Yield each photo of an annotation file, with landmarks where the optional second file has them.

    Raises ValueError naming the line when the file is not in WIDER's format.
    """
    landmarks = _read_landmarks(landmarks_file) if landmarks_file else {}
    lines = boxes_file.read_text().splitlines()
    at = 0
    while at < len(lines):
        name = lines[at].strip()
        if not name:
            at += 1
            continue
        try:
            count = int(lines[at + 1])
            rows = [[float(v) for v in line.split()] for line in lines[at + 2 : at + 2 + max(count, 0)]]
            table = np.array(rows, dtype=np.float32).reshape(count, -1 if count else 10)
            if count and table.shape[1] < 8:
                raise ValueError(f"{table.shape[1]} columns, expected 10")
        except (ValueError, IndexError) as error:
            raise ValueError(f"{boxes_file.name}, photo {name!r} at line {at + 1}: {error}") from error
        at += 2 + count
        if count == 0 and at < len(lines) and set(lines[at].split()) == {"0"}:
            at += 1
        points = np.full((count, LANDMARK_COUNT, 2), np.nan, dtype=np.float32)
        for index, xy in landmarks.get(name, {}).items():
            if index < count:
                points[index] = xy
        boxes = table[:, :4] if count else np.zeros((0, 4), dtype=np.float32)
        invalid = table[:, 7] > 0 if count else np.zeros(0, dtype=bool)
        yield PhotoAnnotation(name, boxes, invalid, points)


def _read_landmarks(path: Path) -> dict[str, dict[int, NDArray[np.float32]]]:
    """Photo name -> {index of the box in that photo: (5, 2) pixels}."""
    found: dict[str, dict[int, NDArray[np.float32]]] = {}
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        name = lines[at].strip()
        count = int(lines[at + 1])
        faces = found.setdefault(name, {})
        for line in lines[at + 2 : at + 2 + count]:
            index, *values = line.split()
            faces[int(index)] = np.array(values, dtype=np.float32).reshape(LANDMARK_COUNT, 2)
        at += 2 + count
    return found


def find_photo(images: Path, name: str) -> Path | None:
    """The photo an annotation names, under `images`, whatever its extension is there (jpg, webp, png...)."""
    exact = images / name
    if exact.is_file():
        return exact
    return next((p for p in sorted(exact.parent.glob(exact.stem + ".*")) if p.is_file()), None)
