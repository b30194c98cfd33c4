"""A student's beginning: the start's trunk, and the head that answers its targets best before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.precision import mixed_precision
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.pretrained_learner import Pictures
from trainer.verifier.teachers import Teacher, target
from trainer.verifier.views import clean_views, degraded_views

FITTED_PICTURES: Final = 4096
BATCH: Final = 128
RIDGE: Final = 1e-3  # of the features' mean variance


@torch.no_grad()
def begin(
    start: DlibTower,
    pictures: Pictures,
    teachers: Sequence[Teacher],
    rows: NDArray[np.int64],
    device: torch.device,
    seed: int,
) -> DlibTower:
    """A tower with `start`'s trunk and a head fitted by least squares to the targets of some of `rows`, half of them
    degraded."""
    chosen = np.random.default_rng(seed).permutation(rows)[:FITTED_PICTURES]
    start = start.to(device=device, memory_format=torch.channels_last).eval()
    features = []
    for turn, first in enumerate(range(0, len(chosen), BATCH)):
        chips = torch.from_numpy(pictures.draw(chosen[first : first + BATCH])).to(device).permute(0, 3, 1, 2)
        views = (clean_views, degraded_views)[turn % 2](chips)
        with mixed_precision(device):
            features.append(start.pooled(views.contiguous(memory_format=torch.channels_last)).float().cpu())
    weight, bias = least_squares(torch.cat(features), torch.from_numpy(target(teachers, chosen)))
    student = DlibTower(weight.shape[0])
    trunk = {name: value for name, value in start.state_dict().items() if not name.startswith("head.")}
    student.load_state_dict({**trunk, "head.weight": weight, "head.bias": bias})
    return student


def least_squares(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression of targets (N, D) on features (N, F): weight (D, F) and bias (D,)."""
    mean, target_mean = features.mean(0, dtype=torch.float64), targets.mean(0, dtype=torch.float64)
    centred, wanted = features.double() - mean, targets.double() - target_mean
    scatter = centred.t() @ centred
    scatter += RIDGE * scatter.diagonal().mean() * torch.eye(len(scatter), dtype=torch.float64)
    weight = torch.linalg.solve(scatter, centred.t() @ wanted).t()
    return weight.float(), (target_mean - weight @ mean).float()
