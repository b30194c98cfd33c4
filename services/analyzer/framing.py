"""Which part of a face chip each network looks at: the framing of the pictures it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """A square of a chip, in its pixels."""

    left_px: int
    top_px: int
    side_px: int

    def cut(self, chips: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(N, 160, 160, 3) → (N, side, side, 3), a view."""
        rows = slice(self.top_px, self.top_px + self.side_px)
        columns = slice(self.left_px, self.left_px + self.side_px)
        return chips[:, rows, columns]


# On the chip of its face a FairFace picture lies at (31, 47) to (129, 144), in the median of 250 found faces; a UTKFace
# picture at (34, 50) to (126, 141); a FER2013 picture at (31, 40) to (129, 138): tight crops, little above the eyes.
FACE_WINDOW: Final = Window(left_px=32, top_px=47, side_px=96)
EMOTION_WINDOW: Final = Window(left_px=31, top_px=40, side_px=98)
