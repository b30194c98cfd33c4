"""WIDER FACE -> YOLOv8-pose labels beside a link to the photos, and a count of everything that was left out."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from trainer.detector.widerface import PhotoAnnotation, find_photo, read_annotations

MIN_SIDE_PX = 2.0  # a box thinner than this in the photo carries no face to learn from

DATASET_YAML = """\
# Ultralytics' own format, so that `yolo pose train data=dataset.yaml` reads the same labels.
path: .
train: train/images
val: val/images
names: {0: face}
kpt_shape: [5, 3]
flip_idx: [1, 0, 2, 4, 3]
"""


def prepare(widerface: Path, out: Path, splits: Iterable[str] = ("train", "val")) -> dict[str, dict[str, int]]:
    """Write `out/<split>/{images -> photos, labels/, ignore/, photos.txt}` and `out/prepare.json`; return its counts.

    `labels/*.txt` hold `0 cx cy w h (x y visibility)*5` normalised to the photo, visibility 2 or (no landmarks) 0.
    `ignore/*.txt` hold `cx cy w h` of boxes that are no lesson either way: WIDER's invalid flag, or too thin.
    """
    counts: dict[str, dict[str, int]] = {}
    for split in splits:
        photos = widerface / f"WIDER_{split}" / "images"
        boxes_file = widerface / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt"
        if not boxes_file.is_file() or not photos.is_dir():
            raise FileNotFoundError(f"{widerface} does not hold WIDER FACE's {split} part ({boxes_file}, {photos})")
        landmarks_file = widerface / "wider_face_split" / f"landmarks_{split}.txt"
        annotations = read_annotations(boxes_file, landmarks_file if landmarks_file.is_file() else None)
        counts[split] = _prepare_split(annotations, photos, out / split)
    (out / "dataset.yaml").write_text(DATASET_YAML)
    (out / "prepare.json").write_text(json.dumps(counts, indent=2) + "\n")
    return counts


def _prepare_split(annotations: Iterable[PhotoAnnotation], photos: Path, folder: Path) -> dict[str, int]:
    counts: Counter[str] = Counter(photos=0, photos_missing=0, faces=0, with_landmarks=0, invalid=0, degenerate=0)
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "images"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(photos.resolve())
    listed: list[str] = []
    for annotation in tqdm(list(annotations), desc=f"prepare {folder.name}", unit="photo"):
        photo = find_photo(photos, annotation.name)
        if photo is None:
            counts["photos_missing"] += 1
            continue
        with Image.open(photo) as header:  # pixels as stored: WIDER's boxes know no EXIF orientation
            width, height = header.size
        labels, ignored = _label_lines(annotation, width, height, counts)
        name = photo.relative_to(photos)
        for kind, rows in (("labels", labels), ("ignore", ignored)):
            path = (folder / kind / name).with_suffix(".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(" ".join(f"{v:.6g}" for v in row) + "\n" for row in rows))
        listed.append(f"{name} {width} {height}")
        counts["photos"] += 1
    (folder / "photos.txt").write_text("\n".join(listed) + "\n")
    return dict(counts)


def _label_lines(
    annotation: PhotoAnnotation, width: int, height: int, counts: Counter[str]
) -> tuple[list[list[float]], list[list[float]]]:
    size = np.array([width, height], dtype=np.float32)
    labels: list[list[float]] = []
    ignored: list[list[float]] = []
    for (x, y, w, h), invalid, points in zip(
        annotation.boxes_xywh, annotation.invalid, annotation.landmarks_xy, strict=True
    ):
        top_left = np.clip([x, y], 0, size)
        bottom_right = np.clip([x + w, y + h], 0, size)
        if np.any(bottom_right <= top_left):
            counts["degenerate"] += 1  # no area inside the photo: nothing is there to ignore either
            continue
        centre, extent = (top_left + bottom_right) / 2 / size, (bottom_right - top_left) / size
        thin = bool(np.any(bottom_right - top_left < MIN_SIDE_PX))
        if invalid or thin:
            counts["invalid" if invalid else "degenerate"] += 1
            ignored.append([*centre, *extent])
            continue
        counts["faces"] += 1
        if np.isnan(points).any():
            landmarks = np.zeros((5, 3), dtype=np.float32)
        else:
            counts["with_landmarks"] += 1
            landmarks = np.column_stack([points / size, np.full(5, 2.0)])
        labels.append([0, *centre, *extent, *landmarks.ravel()])
    return labels, ignored
