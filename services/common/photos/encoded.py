"""A photo as its decoder has opened it: the size is known, no pixel is decoded yet."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Encoded(ABC):
    """`width_px` and `height_px` are of what the decoder will hand over, before EXIF `orientation` 1 to 8 turns it;
    `allocated_px` is more where it decodes a larger picture first."""

    def __init__(self, width_px: int, height_px: int, orientation: int = 1) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.orientation = orientation
        self.allocated_px = width_px * height_px

    @abstractmethod
    def pixels(self, part: int = 1) -> Pixels:
        """As stored, uint8 (height, width, 3) RGB; a JPEG with sides divided by `part` (1, 2, 4, 8) and rounded up.
        Raises anything at damaged bytes."""

    def prove(self) -> None:
        """Ends well if and only if `pixels` will, as cheaply as the format allows."""
        self.checked()

    def checked(self, part: int = 1) -> Pixels:
        """`pixels`, of exactly the size that was promised. Raises ValueError otherwise."""
        pixels = self.pixels(part)
        promised = (-(-self.height_px // part), -(-self.width_px // part), 3)
        if pixels.shape != promised:
            raise ValueError(f"promised {promised}, decoded {pixels.shape}")
        return pixels
