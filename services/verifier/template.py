"""Several photos of one person as one thing to compare with: their weighted mean, and the best of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.common.schemas import Quality

FULL_SIZE_PX = 48.0  # a larger face makes the answer no better: the verifier's card, by the face's shorter side
TURNED_WEIGHT = 0.5  # of a face turned away beside a frontal one


def weight(quality: Quality) -> float:
    """How much a photo says of a face, 0 to 1: nothing where the face is too poor to judge, less where it is small."""
    if quality.low:
        return 0.0
    size = min(quality.face_size_px / FULL_SIZE_PX, 1.0)
    return size * (TURNED_WEIGHT if "turned_away" in quality.reasons else 1.0)


def mean_template(embeddings: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean (D,) of embeddings (N, D) of unit length, weighted by (N,) and of unit length itself.

    Raises ValueError when no photo has any weight: nothing is known of the person then.
    """
    if not float(weights.sum()) > 0:
        raise ValueError("none of the photos is good enough for a template")
    mean = (embeddings * weights[:, None]).sum(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)


def similarity_to_set(embeddings: NDArray[np.float32], probes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P,): the cosine of each probe (P, D) with the photo of the set (N, D) that it is most like, -1 to 1."""
    return np.asarray(np.clip((probes @ embeddings.T).max(axis=1), -1.0, 1.0), dtype=np.float32)
