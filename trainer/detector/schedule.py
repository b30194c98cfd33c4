"""What training does when: a fraction of the time budget in, a fraction of the work out."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """From `start` (fraction of the budget) on: view size, batch, scales relative to the photo, share of mosaics."""

    start: float
    size_px: int
    batch_size: int
    scale_range: tuple[float, float]
    mosaic: float


def default_phases(size_px: int, final_size_px: int, batch_size: int) -> tuple[Phase, ...]:
    """Small views first, cheap and many; larger ones without mosaics last, as the detector will be used."""
    final_batch = max(2, round(batch_size * (size_px / final_size_px) ** 2))
    return (
        Phase(0.0, size_px, batch_size, (0.45, 1.8), 0.3),
        Phase(0.75, final_size_px, final_batch, (0.6, 1.4), 0.0),
    )


def phase_at(phases: tuple[Phase, ...], progress: float) -> Phase:
    """The phase for `progress` in 0..1; phases are in order of their start and the first starts at 0."""
    return [phase for phase in phases if phase.start <= progress or phase.start == 0][-1]


def learning_rate(progress: float, step: int, *, peak: float, warmup_steps: int = 300, final: float = 0.02) -> float:
    """Linear warm-up by steps, then a cosine by time from `peak` to `final * peak`."""
    warm = min(1.0, (step + 1) / warmup_steps)
    cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return peak * warm * cosine
