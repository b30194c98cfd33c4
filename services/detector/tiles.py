"""Overlapping tiles, so that a large photo is looked at in bounded memory and no small face is cut everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.detector.detections import Detections

TILE_PX: Final = 1280
OVERLAP_PX: Final = 192
CUT_MARGIN_PX: Final = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture, in its pixels, and the size of the whole picture."""

    left: int
    top: int
    right: int
    bottom: int
    whole_width: int
    whole_height: int

    def without_cut_faces(self, found: Detections) -> Detections:
        """Drops boxes cut by an inner edge: the tile beside it, or the look at half the size, shows them whole.

        `found` is in the whole picture's pixels.
        """
        x1, y1, x2, y2 = found.boxes_xyxy.T
        whole = np.ones(len(found), dtype=bool)
        if self.left > 0:
            whole &= x1 > self.left + CUT_MARGIN_PX
        if self.top > 0:
            whole &= y1 > self.top + CUT_MARGIN_PX
        if self.right < self.whole_width:
            whole &= x2 < self.right - CUT_MARGIN_PX
        if self.bottom < self.whole_height:
            whole &= y2 < self.bottom - CUT_MARGIN_PX
        return found.take(whole)


def tiles(width: int, height: int) -> Iterator[Tile]:
    """Cover width x height with overlapping tiles of at most TILE_PX a side; one tile when it fits."""
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            yield Tile(left, top, right, bottom, width, height)


def _spans(length: int) -> list[tuple[int, int]]:
    pieces = max(1, -(-(length - OVERLAP_PX) // (TILE_PX - OVERLAP_PX)))
    if pieces == 1:
        return [(0, length)]
    starts = np.linspace(0, length - TILE_PX, pieces).round().astype(int)
    return [(int(start), int(start) + TILE_PX) for start in starts]
