"""Several processes training one network (`torchrun --nproc-per-node N -m -- trainer verifier train ...`)."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


class Replicas:
    """Each process draws its own batches; gradients are averaged after every one. Alone, it costs nothing.

    All start from the same weights and make the same updates, so their weights stay the same; only the first process
    validates, saves and keeps time.
    """

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        if self.count > 1 and not dist.is_initialized():
            dist.init_process_group("gloo")

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def as_first(self, value: float) -> float:
        """The first process's value, everywhere."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, src=0)
        return float(shared)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients]).cpu()
        dist.all_reduce(flat)
        flat /= self.count
        parts = flat.to(gradients[0].device).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
