"""What a confidence threshold means for a user: which faces are missed, how much is wrong, and which one to ship."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import iou_matrix
from services.detector.model import Detections
from trainer.detector.widerface import PhotoAnnotation

HEIGHT_EDGES_PX = (0, 8, 12, 16, 24, 32, 64, 128, 10_000)
MIN_IOU = 0.5
JUDGED_HEIGHT_PX = 10.0  # smaller faces in the photo as judged neither reward nor punish a threshold
ALLOWED_FALSE_ALARMS = 0.0175  # of the face-free pictures; the project allows 2 %


@dataclass(frozen=True)
class Judged:
    """One validation photo and what was found in it."""

    photo: Path
    annotation: PhotoAnnotation
    found: Detections
    width_px: int

    @property
    def truth_xyxy(self) -> NDArray[np.float32]:
        """Annotated boxes (N, 4) as corners, invalid ones included."""
        boxes = self.annotation.boxes_xywh
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


@dataclass(frozen=True)
class HeightRange:
    """Valid faces of one range of heights (pixels of the photo as judged), and how many of them were found."""

    low_px: int
    high_px: int
    faces: int
    found: int


def recall_by_height(judged: list[Judged], threshold: float) -> list[HeightRange]:
    """Faces found (IoU at least 0.5) at a confidence threshold, by height."""
    heights: list[NDArray[np.float32]] = []
    hits: list[NDArray[np.bool_]] = []
    for item in judged:
        valid = ~item.annotation.invalid
        overlap = iou_matrix(item.truth_xyxy[valid], item.found.boxes_xyxy[item.found.confidence >= threshold])
        heights.append(item.annotation.boxes_xywh[valid, 3])
        hits.append(overlap.max(axis=1, initial=0.0) >= MIN_IOU)
    height, hit = np.concatenate(heights), np.concatenate(hits)
    ranges = []
    for low, high in itertools.pairwise(HEIGHT_EDGES_PX):
        here = (height >= low) & (height < high)
        ranges.append(HeightRange(low, high, int(here.sum()), int(hit[here].sum())))
    return ranges


def choose_threshold(judged: list[Judged], alarms: NDArray[np.float32]) -> float:
    """The threshold of the best F1 on the validation photos, or the higher one that keeps false alarms rare enough.

    alarms: highest confidence on each face-free picture. Rounded up to 0.01.
    """
    confidence, correct, faces = _outcomes(judged)
    order = np.argsort(-confidence)
    found = np.cumsum(correct[order])
    precision, recall = found / np.arange(1, len(order) + 1), found / max(faces, 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = float(confidence[order][f1.argmax()]) if len(order) else 0.5
    quiet = float(np.quantile(alarms, 1 - ALLOWED_FALSE_ALARMS, method="higher")) + 1e-3 if len(alarms) else 0.0
    return float(np.ceil(max(best, quiet) * 100) / 100)


def _outcomes(judged: list[Judged]) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """(confidence, is a face not found before) of every detection that counts, and how many faces count."""
    confidences: list[float] = []
    correct: list[bool] = []
    faces = 0
    for item in judged:
        counts = ~item.annotation.invalid & (item.annotation.boxes_xywh[:, 3] >= JUDGED_HEIGHT_PX)
        faces += int(counts.sum())
        overlap = iou_matrix(item.found.boxes_xyxy, item.truth_xyxy)
        taken = np.zeros(len(counts), dtype=bool)
        for row in np.argsort(-item.found.confidence):
            face = int(overlap[row].argmax()) if len(counts) else -1
            hit = face >= 0 and overlap[row, face] >= MIN_IOU
            if hit and not counts[face]:
                continue
            confidences.append(float(item.found.confidence[row]))
            correct.append(bool(hit and not taken[face]))
            if hit:
                taken[face] = True
    return np.array(confidences, dtype=np.float32), np.array(correct, dtype=bool), faces
