"""The network's answers, one an anchor, turned into boxes and landmarks: YOLOv8's decoding, in numpy."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from services.detector.detections import Detections, Floats

STRIDES_PX: Final = (8, 16, 32)
DISTANCE_BINS: Final = 16  # each side's distance from the anchor is a distribution over 0..15 strides
MAX_CANDIDATES: Final = 4000  # of one view, before suppression


def decode(
    scores: Floats, distances: Floats, landmarks: Floats, *, height_px: int, width_px: int, threshold: float
) -> Detections:
    """Anchors whose score reaches the threshold, in pixels of the network's input; not yet suppressed.

    scores (A,) 0..1; distances (4 * 16, A) logits of left, top, right, bottom; landmarks (5 * 3, A) x, y, visibility.
    """
    keep = np.flatnonzero(scores >= threshold)
    if len(keep) > MAX_CANDIDATES:
        keep = keep[np.argsort(-scores[keep], kind="stable")[:MAX_CANDIDATES]]
    corners, strides = _anchors(height_px, width_px)
    corner, stride = corners[keep], strides[keep, None]  # (K, 2) in strides, (K, 1) px
    logits = distances[:, keep].reshape(4, DISTANCE_BINS, len(keep))
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    bins = np.arange(DISTANCE_BINS, dtype=np.float32)
    expected = np.einsum("sbk,b->ks", weights, bins) / weights.sum(axis=1).T  # (K, 4) in strides
    centre = corner + 0.5
    boxes = np.concatenate([centre - expected[:, :2], centre + expected[:, 2:]], axis=1) * stride
    points = landmarks[:, keep].T.reshape(-1, 5, 3)[..., :2]
    landmarks_xy = (points * 2 + corner[:, None]) * stride[:, None]
    return Detections(boxes.astype(np.float32), scores[keep], landmarks_xy.astype(np.float32))


@lru_cache(maxsize=64)
def _anchors(height_px: int, width_px: int) -> tuple[Floats, Floats]:
    """Each anchor's cell corner (A, 2) x, y in strides, and its stride (A,) in pixels."""
    corners, strides = [], []
    for stride in STRIDES_PX:
        y, x = np.mgrid[: height_px // stride, : width_px // stride]
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)
