"""What a detector finds, and the set operations on it: joining looks, suppressing duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.boxes import box_areas, iou_matrix

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces of one photo: boxes_xyxy (N, 4) px, confidence (N,) 0..1, landmarks_xy (N, 5, 2) px."""

    boxes_xyxy: Floats
    confidence: Floats
    landmarks_xy: Floats

    def __len__(self) -> int:
        return len(self.confidence)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        """Those of a mask (N,) or of indices, in their order."""
        return Detections(self.boxes_xyxy[which], self.confidence[which], self.landmarks_xy[which])

    def mapped(self, scale_xy: Floats, offset_xy: Floats) -> Detections:
        """In other pixels: scaled, then shifted."""
        boxes = self.boxes_xyxy * np.tile(scale_xy, 2) + np.tile(offset_xy, 2)
        return Detections(boxes, self.confidence, self.landmarks_xy * scale_xy + offset_xy)


def join(parts: Sequence[Detections]) -> Detections:
    return Detections(
        np.concatenate([part.boxes_xyxy for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.landmarks_xy for part in parts]),
    )


def suppress(found: Detections, max_iou: float) -> Detections:
    """Non-maximum suppression: of boxes that overlap by more than `max_iou`, the most confident stays."""
    order = np.argsort(-found.confidence, kind="stable")
    boxes = found.boxes_xyxy[order]
    alive = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    for index in range(len(order)):
        if alive[index]:
            kept.append(index)
            rest = index + 1 + np.flatnonzero(alive[index + 1 :])
            alive[rest] = iou_matrix(boxes[index : index + 1], boxes[rest])[0] <= max_iou
    return found.take(order[kept])


def without_parts_of(found: Detections, whole: Detections, min_share: float) -> Detections:
    """Drops what lies with at least `min_share` of its area inside a more confident box of `whole`."""
    top_left = np.maximum(found.boxes_xyxy[:, None, :2], whole.boxes_xyxy[None, :, :2])
    bottom_right = np.minimum(found.boxes_xyxy[:, None, 2:], whole.boxes_xyxy[None, :, 2:])
    inside = np.prod(np.maximum(bottom_right - top_left, 0), axis=2)  # (N, M)
    share = inside / np.maximum(box_areas(found.boxes_xyxy)[:, None], 1e-9)
    part = (share >= min_share) & (whole.confidence[None] > found.confidence[:, None])
    return found.take(~part.any(axis=1))
