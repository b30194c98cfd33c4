"""An exponential moving average of a network's weights: what is validated and shipped."""

from __future__ import annotations

import copy

import torch
from torch import nn


class AveragedWeights:
    """`network` follows `update(source)`; the first updates follow faster, so that the random start is forgotten."""

    def __init__(self, source: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(source).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, source: nn.Module) -> None:
        self.updates += 1
        keep = min(self.decay, self.updates / (10 + self.updates))
        for mean, value in zip(self.network.state_dict().values(), source.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)
