"""A face as the detector reports it."""

from __future__ import annotations

from services.common.schemas import Box, Face, Landmarks


def face(index: int = 0) -> Face:
    """A face 20 px wide and `index` more, and 30 px high."""
    at = (1.0 * index, 2.0)
    points = Landmarks(left_eye=at, right_eye=at, nose=at, left_mouth=at, right_mouth=at)
    box = Box(x=index, y=0, width=20 + index, height=30)
    return Face(index=index, box=box, confidence=0.9, landmarks=points, crop_url=f"/face-{index}")
