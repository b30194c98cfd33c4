"""Faces as the verifier is told of them."""

from __future__ import annotations

from services.common.schemas import Box, Landmarks
from services.common.stages.verifier import FaceToCompare


def face(size_px: float = 90, *, nose: float = 0.5, left: float = 200, photo_px: int = 640) -> FaceToCompare:
    """A face that wide at `left` of a square photo; its nose stands between the eyes at 0.5, under one at 0 or 1."""
    x, y, unit = left, 100.0, size_px / 90
    points = {"left_eye": (25, 42), "right_eye": (65, 42), "left_mouth": (30, 82), "right_mouth": (60, 82)}
    points["nose"] = (25 + 40 * nose, 62)
    landmarks = Landmarks.model_validate({name: (x + px * unit, y + py * unit) for name, (px, py) in points.items()})
    box = Box(x=x, y=y, width=size_px, height=size_px * 1.2)
    return FaceToCompare(box=box, landmarks=landmarks, photo_width=photo_px, photo_height=photo_px)
