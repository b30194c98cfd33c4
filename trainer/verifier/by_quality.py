"""What each kind of poor picture costs: held-out pairs whose second photo is made small, blurred or dark, or turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_CORE_PX, CHIP_MARGIN_PX, CHIP_SIZE_PX
from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.protocol import Scored, embed_rows
from trainer.verifier.scoring import accuracy

FACE_IN_CHIP_PX: Final = 80.0  # shorter side of a detected face's box, at the chip's scale
FACE_SIZES_PX: Final = (8, 10, 12, 14, 16, 20, 24, 32, 48)
BLURS_PX: Final = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # standard deviation, in px of the chip
LIGHTS: Final = (0.5, 0.3, 0.15, 0.08, 0.04)  # what is left of the light
CONTRASTS: Final = (0.5, 0.3, 0.15, 0.08, 0.04)  # what is left of the contrast
INSIDES: Final = (0.9, 0.8, 0.7, 0.6, 0.5)  # share of the face that the photo shows, its other side being cut off
TURNS: Final = ((0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.5), (0.5, 9.9))  # nose's offset in eye distances
MEASURED_PAIRS: Final = 600
Figures = dict[str, dict[str, Any]]
Degrade = Callable[[NDArray[np.uint8], float], NDArray[np.uint8]]


def shrunk(chip: NDArray[np.uint8], face_px: float) -> NDArray[np.uint8]:
    """The chip as it would come from a photo in which the face is `face_px` wide."""
    side = max(round(CHIP_SIZE_PX * face_px / FACE_IN_CHIP_PX), 2)
    small = cv2.resize(np.asarray(chip), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (CHIP_SIZE_PX, CHIP_SIZE_PX), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def blurred(chip: NDArray[np.uint8], deviation_px: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(np.asarray(chip), (0, 0), deviation_px), dtype=np.uint8)


def darkened(chip: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    """Rounded to whole grey levels, as a camera would have."""
    return np.round(np.asarray(chip) * np.float32(light)).astype(np.uint8)


def flattened(chip: NDArray[np.uint8], contrast: float) -> NDArray[np.uint8]:
    """Around its own mean, rounded to whole grey levels."""
    mean = chip.mean(axis=(0, 1), keepdims=True)
    return np.clip(np.round((chip - mean) * contrast + mean), 0, 255).astype(np.uint8)


def cut_off(chip: NDArray[np.uint8], inside: float) -> NDArray[np.uint8]:
    """Black on the left, as beyond a photo's edge, so that `inside` of the face's square is left."""
    cut = np.array(chip)
    cut[:, : CHIP_MARGIN_PX + round((1 - inside) * CHIP_CORE_PX)] = 0
    return cut


def by_quality(data: ChipSet, embedder: Embedder, scored: Scored, threshold: float, default: float) -> Figures:
    """By measure and step: accuracy at `threshold`, and genuine pairs found at `default`."""
    some = np.arange(0, len(scored.pairs), max(len(scored.pairs) // MEASURED_PAIRS, 1))
    first, second, same = scored.pairs.first[some], scored.pairs.second[some], scored.same[some]
    anchors = embed_rows(data, embedder, np.unique(first))[first]
    seconds = data.chips[second]

    def measured(degrade: Degrade, step: float) -> dict[str, Any]:
        vectors = embedder.embed(np.stack([degrade(chip, step) for chip in seconds]))
        return _figures(np.einsum("nd,nd->n", anchors, vectors), same, threshold, default)

    turn = np.array([abs(row.turn) for row in data.rows])
    turned = np.maximum(turn[scored.pairs.first], turn[scored.pairs.second])
    return {
        "face_px": {str(size): measured(shrunk, size) for size in FACE_SIZES_PX},
        "blur_px": {f"{blur:g}": measured(blurred, blur) for blur in BLURS_PX},
        "light": {f"{light:g}": measured(darkened, light) for light in LIGHTS},
        "contrast": {f"{contrast:g}": measured(flattened, contrast) for contrast in CONTRASTS},
        "inside": {f"{inside:g}": measured(cut_off, inside) for inside in INSIDES},
        "turn": {
            f"{low:g}-{high:g}" if high < 9 else f"{low:g} and more": _figures(
                scored.similarity[chosen], scored.same[chosen], threshold, default
            )
            for low, high in TURNS
            if (chosen := (turned >= low) & (turned < high)).any()
        },
    }


def _figures(
    similarity: NDArray[np.float32], same: NDArray[np.bool_], threshold: float, default: float
) -> dict[str, Any]:
    genuine = similarity[same]
    return {
        "pairs": len(same),
        "accuracy": round(accuracy(similarity, same, threshold), 4),
        "found": round(float((genuine >= default).mean()), 4) if len(genuine) else None,
    }
