"""A held-out split that depends on a seed and the pictures alone, and keeps copies of one picture on one side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


def picture_key(image: NDArray[np.uint8]) -> str:
    """A key that copies of one picture share (FER2013 has some hundred): its 16x16 difference hash."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def held_out(keys: Sequence[str], count: int, seed: int) -> NDArray[np.bool_]:
    """Mask (N,) of at least `count` held-out pictures (fewer only when there are none left), whole groups of a key."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    mask = np.zeros(len(keys), dtype=np.bool_)
    taken = 0
    for key in sorted(groups, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest()):
        if taken >= count:
            break
        mask[groups[key]] = True
        taken += len(groups[key])
    return mask
