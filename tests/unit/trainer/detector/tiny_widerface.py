"""WIDER FACE in miniature: its folders, annotation files and .mat ground truth, around pictures made here."""

from pathlib import Path

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray

from tests.photos import astronaut_rgb

EVENT = "0--Parade"
HEAD_XYXY = (172, 62, 282, 202)  # the astronaut's face
LANDMARKS_XY = ((198, 112), (242, 112), (218, 142), (200, 160), (240, 160))


def write_tiny_widerface(folder: Path, train_photos: int = 6, val_photos: int = 3) -> Path:
    """`folder` in WIDER's layout; every photo is 1024 px wide with one astronaut, the .mat files judge all of them."""
    for split, count in (("train", train_photos), ("val", val_photos)):
        names, boxes = [], []
        for index in range(count):
            name = f"0_Parade_{split}_{index}"
            picture, box = tiny_photo(index)
            path = folder / f"WIDER_{split}" / "images" / EVENT / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            names.append(name)
            boxes.append(box)
        _write_annotations(folder / "wider_face_split", split, names, boxes)
    write_mat_files(folder / "eval_gt", names, [np.array([box], dtype=np.float64) for box in boxes])
    return folder


def tiny_photo(index: int) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """A 1024x512 photo with the astronaut shifted right by index * 40 px, and the face's x, y, w, h."""
    picture = np.full((512, 1024, 3), 90, dtype=np.uint8)
    shift = index * 40
    picture[:, shift : shift + 512] = astronaut_rgb()
    x1, y1, x2, y2 = HEAD_XYXY
    return picture, (x1 + shift, y1, x2 - x1, y2 - y1)


def _write_annotations(folder: Path, split: str, names: list[str], boxes: list[tuple[int, int, int, int]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines, landmarks = [], []
    for index, (name, box) in enumerate(zip(names, boxes, strict=True)):
        lines += [f"{EVENT}/{name}.jpg", "1", " ".join(map(str, box)) + " 0 0 0 0 0 0"]
        points = " ".join(f"{x + index * 40} {y}" for x, y in LANDMARKS_XY)
        landmarks += [f"{EVENT}/{name}.jpg", "1", f"0 {points}"]
    (folder / f"wider_face_{split}_bbx_gt.txt").write_text("\n".join(lines) + "\n")
    if split == "train":
        (folder / "landmarks_train.txt").write_text("\n".join(landmarks) + "\n")


def write_mat_files(
    folder: Path, names: list[str], boxes: list[NDArray[np.float64]], judged: list[list[int]] | None = None
) -> None:
    """The four .mat files of one event. `judged`: per photo, 1-based indices that count in every subset (or all)."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = judged if judged is not None else [list(range(1, len(b) + 1)) for b in boxes]
    scipy.io.savemat(
        folder / "wider_face_val.mat",
        {
            "event_list": _cells([EVENT]),
            "file_list": _cells([_cells(names)]),
            "face_bbx_list": _cells([_cells(boxes)]),
        },
    )
    for subset in ("easy", "medium", "hard"):
        lists = [np.array(indices, dtype=np.uint16).reshape(-1, 1) for indices in kept]
        scipy.io.savemat(folder / f"wider_{subset}_val.mat", {"gt_list": _cells([_cells(lists)])})


def _cells(items: list[object]) -> NDArray[np.object_]:
    """A MATLAB cell column."""
    column = np.empty((len(items), 1), dtype=object)
    for index, item in enumerate(items):
        column[index, 0] = item
    return column
