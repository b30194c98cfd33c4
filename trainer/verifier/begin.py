"""A student's beginning: the start's trunk and its own head, centred, and a learned head fitted by least squares.

The learned head alone, before any step, answers much of what the second teacher would: the start's maps hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.precision import mixed_precision
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.groups import weighing
from trainer.verifier.portraits import Portrait
from trainer.verifier.pretrained_learner import Pictures
from trainer.verifier.teachers import Teacher, raw_parts
from trainer.verifier.views import clean_views, degraded_views

BATCH: Final = 128
SCALED_BY: Final = 16  # batches from which the features' deviations are taken
RIDGE: Final = 0.3  # of the mean variance of the features, which are brought to one first: they are many and alike
CENTRED_ON: Final = 2048


@torch.no_grad()
def begin(
    start: DlibTower,
    pictures: Pictures,
    rows: NDArray[np.int64],
    second: Teacher | None,
    weights: tuple[float, float],
    fitted: int,
    device: torch.device,
    seed: int,
) -> DlibTower:
    """A tower with `start`'s trunk; its learned part answers `second`'s on `fitted` of `rows`, a third of them degraded
    and half of them mirrored. Without a second teacher there is no learned part."""
    start = start.to(device=device, memory_format=torch.channels_last).eval()
    if second is None:
        return start
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(rows)[:fitted]
    fit = LeastSquares()
    for turn, first in enumerate(range(0, len(chosen), BATCH)):
        part = chosen[first : first + BATCH]
        chips = torch.from_numpy(pictures.draw(part)).to(device).permute(0, 3, 1, 2)
        views = degraded_views(chips) if turn % 3 == 0 else clean_views(chips)
        if turn % 2:
            views = torch.flip(views, (3,))
        with mixed_precision(device):
            maps = start.maps(views.contiguous(memory_format=torch.channels_last)).float().cpu()
        fit.add(maps, torch.from_numpy(second.centred(part)))
    weight, bias = fit.solve()
    student = DlibTower(len(bias), weights)
    own = {name: value for name, value in start.state_dict().items() if not name.startswith(("learned", "shares"))}
    student.load_state_dict({**own, "learned.weight": weight, "learned.bias": bias, "shares": student.shares})
    return student


def centre_own(
    tower: DlibTower, pictures: Pictures, portraits: Sequence[Portrait], faces: NDArray[np.int64], first: int
) -> DlibTower:
    """The tower with its own part's answers centred on the mean of the groups of some portraits `faces`."""
    some = np.sort(np.random.default_rng(0).permutation(faces)[:CENTRED_ON])
    answers = raw_parts(tower, next(tower.parameters()).device)(pictures.draw(some + first))
    centring = weighing(answers["own"], [portraits[row].group for row in some], 1.0)
    tower.load_state_dict(centring.folded(tower.state_dict(), "own"))
    return tower


class LeastSquares:
    """Ridge regression on features that come batch by batch, each brought to a deviation of one."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._scale: Tensor | None = None
        self._count = 0

    def add(self, features: Tensor, targets: Tensor) -> None:
        """(N, F) and (N, D)."""
        self._waiting.append((features, targets))
        if len(self._waiting) >= SCALED_BY:
            self._flush()

    def solve(self) -> tuple[Tensor, Tensor]:
        """Weight (D, F) and bias (D,)."""
        self._flush()
        assert self._scale is not None
        mean, target_mean = self._sum / self._count, self._target_sum / self._count
        scatter = self._scatter - self._count * torch.outer(mean, mean)
        scatter += RIDGE * scatter.diagonal().mean() * torch.eye(len(scatter))
        cross = self._cross - self._count * torch.outer(mean, target_mean)
        weight = torch.linalg.solve(scatter, cross).t()
        return weight / self._scale, target_mean - weight @ mean

    def _flush(self) -> None:
        if not self._waiting:
            return
        features = torch.cat([each for each, _ in self._waiting])
        targets = torch.cat([each for _, each in self._waiting])
        self._waiting.clear()
        if self._scale is None:
            deviation = features.std(0)
            # A feature that hardly ever answered so far may answer later: it must not count a million times then.
            self._scale = deviation.clamp(min=max(float(deviation.median()) * 0.2, 1e-6))
            width, answers = features.shape[1], targets.shape[1]
            self._scatter, self._cross = torch.zeros(width, width), torch.zeros(width, answers)
            self._sum, self._target_sum = torch.zeros(width), torch.zeros(answers)
        features = features / self._scale
        self._scatter.addmm_(features.t(), features)
        self._cross.addmm_(features.t(), targets)
        self._sum += features.sum(0)
        self._target_sum += targets.sum(0)
        self._count += len(features)
