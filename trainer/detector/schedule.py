"""What training does when: a fraction of the time budget in, a fraction of the work out."""

import math
from dataclasses import dataclass

PHOTO_ASPECT = 0.7  # short side of most photos, relative to the long one


@dataclass(frozen=True)
class Phase:
    """From `start` (fraction of the budget) on: view size, batch, scales relative to the photo, share of mosaics.

    `view_px` is (height, width) for a photo that lies; one that stands is seen in the same view turned upright.
    """

    start: float
    view_px: tuple[int, int]
    batch_size: int
    scale_range: tuple[float, float]
    mosaic: float


def default_phases(size_px: int, final_size_px: int, batch_size: int, final_share: float = 0.25) -> tuple[Phase, ...]:
    """Small square views first, cheap and many; then, for the last `final_share` of the budget, whole photos.

    Those are of a photo's usual shape and without mosaics, as the detector will be used: padding them to squares would
    spend a third of the time on grey, and have the normalisation learn it.
    """
    final_view = (max(1, round(final_size_px * PHOTO_ASPECT / 32)) * 32, final_size_px)
    final_batch = max(2, round(batch_size * size_px**2 / math.prod(final_view)))
    return (
        Phase(0.0, (size_px, size_px), batch_size, (0.45, 1.8), 0.3),
        Phase(1 - final_share, final_view, final_batch, (0.7, 1.4), 0.0),
    )


def phase_at(phases: tuple[Phase, ...], progress: float) -> Phase:
    """The phase for `progress` in 0..1; phases are in order of their start and the first starts at 0."""
    return [phase for phase in phases if phase.start <= progress or phase is phases[0]][-1]


def learning_rate(progress: float, step: int, *, peak: float, warmup_steps: int = 300, final: float = 0.02) -> float:
    """Linear warm-up by steps, then a cosine by time from `peak` to `final * peak`."""
    warm = min(1.0, (step + 1) / warmup_steps)
    cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return peak * warm * cosine
