"""WIDER FACE's own evaluation: average precision on its easy, medium and hard faces.

The rules of the official MATLAB code (http://shuoyang1213.me/WIDERFACE/, eval_tools) as its well-known Python port has
them: scores scaled to 0..1 over all photos, IoU at least 0.5 (box sides counted with +1 px), faces outside the subset
neither reward nor punish, 1,000 thresholds, the area under the precision envelope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray

SUBSETS = ("easy", "medium", "hard")
THRESHOLDS = 1000
MIN_IOU = 0.5
WIDER_WIDTH_PX = 1024  # every photo of the set as published is this wide; its .mat files count in those pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PhotoTruth:
    """boxes_xywh: all faces (N, 4) px; judged: per subset, (N,) bool of those that count."""

    boxes_xywh: Floats
    judged: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Curve:
    """precision and recall (1000,) from the highest threshold to the lowest, faces that count, and the area."""

    precision: Floats
    recall: Floats
    faces: int
    average_precision: float


def load_truth(folder: Path, stems: set[str] | None = None) -> dict[str, PhotoTruth]:
    """Ground truth by photo stem (`0_Parade_marchingband_1_20`) from `wider_{face,easy,medium,hard}_val.mat`.

    `stems` keeps only those photos. Raises FileNotFoundError for a missing file.
    """
    faces = scipy.io.loadmat(folder / "wider_face_val.mat")
    subsets = {name: scipy.io.loadmat(folder / f"wider_{name}_val.mat")["gt_list"] for name in SUBSETS}
    truth: dict[str, PhotoTruth] = {}
    for event, files in enumerate(faces["file_list"][:, 0]):
        for index, file in enumerate(files[:, 0]):
            stem = str(file[0])
            if stems is not None and stem not in stems:
                continue
            boxes = faces["face_bbx_list"][event, 0][index, 0].astype(np.float64).reshape(-1, 4)
            judged = {}
            for name, kept in subsets.items():
                judged[name] = np.zeros(len(boxes), dtype=bool)
                judged[name][kept[event, 0][index, 0].ravel().astype(int) - 1] = True  # MATLAB counts from 1
            truth[stem] = PhotoTruth(boxes, judged)
    return truth


def evaluate(found: Mapping[str, Floats], truth: Mapping[str, PhotoTruth]) -> dict[str, Curve]:
    """Curves by subset. `found`: per photo stem (N, 5) x y w h score, in the ground truth's pixels."""
    scaled = _scale_scores(found)
    return {subset: _curve(scaled, truth, subset) for subset in SUBSETS}


def _scale_scores(found: Mapping[str, Floats]) -> dict[str, Floats]:
    """Scores mapped to 0..1 over everything found, each photo's rows sorted by falling score."""
    scores = np.concatenate([rows[:, 4] for rows in found.values()]) if found else np.zeros(0)
    low, high = (scores.min(), scores.max()) if len(scores) else (0.0, 1.0)
    scaled = {}
    for stem, rows in found.items():
        ordered = rows[np.argsort(-rows[:, 4], kind="stable")].copy()
        ordered[:, 4] = (ordered[:, 4] - low) / (high - low) if high > low else 1.0
        scaled[stem] = ordered
    return scaled


def _curve(found: Mapping[str, Floats], truth: Mapping[str, PhotoTruth], subset: str) -> Curve:
    counted = np.zeros((THRESHOLDS, 2))  # detections that count, faces found
    faces = 0
    for stem, photo in truth.items():
        judged = photo.judged[subset]
        faces += int(judged.sum())
        rows = found.get(stem)
        if rows is not None and len(rows) and len(photo.boxes_xywh):
            counted += _count(rows, photo.boxes_xywh, judged)
    precision = np.divide(counted[:, 1], counted[:, 0], out=np.zeros(THRESHOLDS), where=counted[:, 0] > 0)
    recall = counted[:, 1] / max(faces, 1)
    return Curve(precision, recall, faces, average_precision(precision, recall))


def _count(rows: Floats, boxes_xywh: Floats, judged: NDArray[np.bool_]) -> Floats:
    """(1000, 2): at each threshold, how many detections count and how many judged faces are found."""
    overlaps = iou_plus_one(rows[:, :4], boxes_xywh)
    best, face = overlaps.max(axis=1), overlaps.argmax(axis=1)
    hit = best >= MIN_IOU
    counts = ~(hit & ~judged[face])  # a detection of a face outside the subset is no proposal at all
    found = np.zeros(len(boxes_xywh), dtype=bool)
    found_so_far = np.zeros(len(rows))
    for row in range(len(rows)):
        if hit[row] and judged[face[row]]:
            found[face[row]] = True
        found_so_far[row] = found.sum()
    counted_so_far = np.cumsum(counts)
    thresholds = 1 - (np.arange(THRESHOLDS) + 1) / THRESHOLDS
    last = np.searchsorted(-rows[:, 4], -thresholds, side="right") - 1  # last row with score >= threshold
    out = np.zeros((THRESHOLDS, 2))
    some = last >= 0
    out[some] = np.column_stack([counted_so_far[last[some]], found_so_far[last[some]]])
    return out


def iou_plus_one(first_xywh: Floats, second_xywh: Floats) -> Floats:
    """IoU (N, M) with the evaluation's inclusive pixel count."""
    first, second = (np.column_stack([b[:, :2], b[:, :2] + b[:, 2:]]) for b in (first_xywh, second_xywh))
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left + 1, 0, None), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2] + 1, axis=1) for b in (first, second)]
    result: Floats = overlap / (areas[0][:, None] + areas[1][None, :] - overlap)
    return result


def average_precision(precision: Floats, recall: Floats) -> float:
    """Area under the precision envelope over recall (PASCAL VOC 2010 and later)."""
    recalls = np.concatenate([[0.0], recall, [1.0]])
    envelope = np.maximum.accumulate(np.concatenate([[0.0], precision, [0.0]])[::-1])[::-1]
    step = np.flatnonzero(recalls[1:] != recalls[:-1])
    return float(np.sum((recalls[step + 1] - recalls[step]) * envelope[step + 1]))
