"""What a detector finds, and the set operations on it: joining looks, suppressing duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import box_areas, iou_matrix

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


def suppress(found: Detections, max_iou: float, vote_iou: float = 1.0) -> Detections:
    """Non-maximum suppression: of boxes that overlap by more than `max_iou`, the most confident stays.

    Its box and landmarks become the mean of all that overlap it by more than `vote_iou`, weighted by confidence times
    overlap: box voting, Gidaris and Komodakis 2015. With 1.0 nothing votes.
    """
    order = np.argsort(-found.confidence, kind="stable")
    boxes = found.boxes_xyxy[order]
    votes, rows = found.confidence[order], np.concatenate([boxes, found.landmarks_xy[order].reshape(-1, 10)], axis=1)
    alive = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    means: list[Floats] = []
    for index in range(len(order)):
        if alive[index]:
            kept.append(index)
            overlap = iou_matrix(boxes[index : index + 1], boxes)[0]
            alive &= overlap <= max_iou
            voting = np.flatnonzero(overlap > vote_iou)
            weights = (votes * overlap)[voting, None]
            means.append((rows[voting] * weights).sum(axis=0) / weights.sum() if len(voting) else rows[index])
    mean = np.array(means, dtype=np.float32).reshape(-1, 14)
    return Detections(mean[:, :4], votes[kept], mean[:, 4:].reshape(-1, 5, 2))


def without_parts_of(found: Detections, whole: Detections, min_share: float) -> Detections:
    """Drops what lies with at least `min_share` of its area inside a more confident box of `whole`."""
    top_left = np.maximum(found.boxes_xyxy[:, None, :2], whole.boxes_xyxy[None, :, :2])
    bottom_right = np.minimum(found.boxes_xyxy[:, None, 2:], whole.boxes_xyxy[None, :, 2:])
    inside = np.prod(np.maximum(bottom_right - top_left, 0), axis=2)  # (N, M)
    share = inside / np.maximum(box_areas(found.boxes_xyxy)[:, None], 1e-9)
    part = (share >= min_share) & (whole.confidence[None] > found.confidence[:, None])
    return found.take(~part.any(axis=1))
