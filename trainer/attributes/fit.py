"""The attributes' tasks as learners of the training loop: batches in epochs, small pictures first, mixed ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from trainer.attributes.augment import Augmentation, augment
from trainer.attributes.network import AttributeNet
from trainer.loop import Plan, train
from trainer.precision import mixed_precision

Targets = dict[str, Tensor]
Validate = Callable[[nn.Module, int], Mapping[str, float]]


class TrainingTask(Protocol):
    """What differs between the emotion network and the face network."""

    augmentation: Augmentation
    mixup: float

    def __len__(self) -> int: ...
    def batch(self, indices: Tensor) -> tuple[Tensor, Targets]:
        """uint8 pictures (N, C, H, W) and targets, each (N, ...), all of which may be mixed linearly."""
        ...

    def loss(self, logits: Mapping[str, Tensor], targets: Targets) -> Tensor: ...


@dataclass(frozen=True)
class Schedule:
    hours: float
    batch: int = 128
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    ema_decay: float = 0.998
    small_until: float = 0.65
    every_s: float = 300.0
    seed: int = 7
    device: str = "cpu"

    def plan(self) -> Plan:
        return Plan(
            self.learning_rate,
            hours=self.hours,
            every_s=self.every_s,
            ema_decay=self.ema_decay,
            clip=5.0,
            seed=self.seed,
        )

    def size_px(self, full_px: int, progress: float) -> int:
        """Two thirds of the pixels at first, which buys half as many epochs again for the same time."""
        return full_px if progress >= self.small_until else round(full_px * 5 / 6 / 16) * 16


class AttributeLearner:
    """`validate` gets the averaged network and the size it is trained at now; its figures are for watching: no
    checkpoint is chosen by them."""

    def __init__(self, net: AttributeNet, task: TrainingTask, schedule: Schedule, validate: Validate) -> None:
        self.network: nn.Module = net.to(device=schedule.device, memory_format=torch.channels_last)
        self._heads = list(net.heads)
        self._task, self._schedule, self._validate = task, schedule, validate
        self._batches: Iterator[Tensor] = iter(())
        self._size_px = task.augmentation.size_px

    def groups(self) -> list[dict[str, Any]]:
        """Norms and biases are not decayed."""
        decayed = [parameter for parameter in self.network.parameters() if parameter.ndim > 1]
        free = [parameter for parameter in self.network.parameters() if parameter.ndim <= 1]
        return [
            {"params": decayed, "weight_decay": self._schedule.weight_decay, "factor": 1.0},
            {"params": free, "weight_decay": 0.0, "factor": 1.0},
        ]

    def loss(self, rng: np.random.Generator, progress: float) -> tuple[Tensor, Mapping[str, float], int]:
        pictures, targets = self._task.batch(self._next(rng))
        device = self._schedule.device
        targets = {name: target.to(device) for name, target in targets.items()}
        self._size_px = self._schedule.size_px(self._task.augmentation.size_px, progress)
        images = augment(pictures.to(device), replace(self._task.augmentation, size_px=self._size_px))
        if self._task.mixup > 0 and torch.rand(()) < 0.5:
            share = float(torch.distributions.Beta(self._task.mixup, self._task.mixup).sample())
            order = torch.randperm(len(images), device=device)
            images = share * images + (1 - share) * images[order]
            targets = {name: share * target + (1 - share) * target[order] for name, target in targets.items()}
        with mixed_precision(torch.device(device)):
            logits = self.network(images.contiguous(memory_format=torch.channels_last))
        loss = self._task.loss({name: value.float() for name, value in logits.items()}, targets)
        return loss, {"loss": float(loss.detach()), "size_px": self._size_px}, len(images)

    def validate(self, average: nn.Module) -> Mapping[str, float]:
        return self._validate(average, self._size_px)

    def description(self) -> dict[str, Any]:
        return {"heads": self._heads, "batch": self._schedule.batch, "seed": self._schedule.seed}

    def _next(self, rng: np.random.Generator) -> Tensor:
        """Indices of the next batch; every picture once before one comes again."""
        indices = next(self._batches, None)
        while indices is None:
            order = torch.from_numpy(rng.permutation(len(self._task)))
            whole = [part for part in order.split(self._schedule.batch) if len(part) > 1 or len(order) == 1]
            self._batches = iter(whole)  # batch normalisation needs two pictures
            indices = next(self._batches, None)
        return indices


def fit(net: AttributeNet, task: TrainingTask, schedule: Schedule, run: Path, validate: Validate) -> None:
    """Trains until the budget of working time is spent; `run` receives what the loop writes, and goes on from it."""
    train(AttributeLearner(net, task, schedule, validate), schedule.plan(), run)


def averaged_state(checkpoint: Path) -> dict[str, Tensor]:
    """The averaged weights of a run's checkpoint. Raises FileNotFoundError before its first report, ValueError for
    another kind of run."""
    stored: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if "heads" not in json.loads(stored["description"]):
        raise ValueError(f"{checkpoint.parent.name} is no run of an attribute network")
    return dict(stored["average"])
