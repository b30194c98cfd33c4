"""One training loop for all attributes: a cosine schedule over a time budget, averaged weights, resumable."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from trainer.attributes.augment import Augmentation, augment
from trainer.precision import mixed_precision

Targets = dict[str, Tensor]


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
    warm_up: float = 0.03
    ema_decay: float = 0.998
    small_until: float = 0.65
    validate_every: int = 3
    seed: int = 7
    device: str = "cpu"

    def factor(self, progress: float) -> float:
        """Share of the learning rate at `progress` (0 to 1) of the time budget."""
        if progress < self.warm_up:
            return progress / self.warm_up + 0.01
        return 0.5 * (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) + 0.002

    def size_px(self, full_px: int, progress: float) -> int:
        """Two thirds of the pixels at first, which buys half as many epochs again for the same time."""
        return full_px if progress >= self.small_until else round(full_px * 5 / 6 / 16) * 16


def fit(
    net: nn.Module,
    task: TrainingTask,
    schedule: Schedule,
    run: Path,
    validate: Callable[[nn.Module, int], Mapping[str, float]],
) -> nn.Module:
    """Trains until the budget of working time is spent and returns the averaged network. `run` receives `last.pt`
    after every epoch (a run with one goes on from it), `ema.pt` and a line in `log.jsonl`. `validate` gets the averaged
    network and the size it is trained at now, each few epochs; its figures are for watching: no checkpoint is chosen by
    them."""
    torch.manual_seed(schedule.seed)
    net = net.to(device=schedule.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(_groups(net, schedule.weight_decay), lr=schedule.learning_rate)
    state = _resume(run, net, ema, optimizer)
    budget_s = schedule.hours * 3600
    steps, spent_s, epoch = state["steps"], state["spent_s"], state["epoch"]
    while spent_s < budget_s:
        net.train()
        losses = []
        for indices in _shuffled(len(task), schedule.batch, schedule.seed + epoch):
            began = time.perf_counter()
            progress = min(spent_s / budget_s, 1.0)
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * schedule.factor(progress)
            how = replace(task.augmentation, size_px=schedule.size_px(task.augmentation.size_px, progress))
            losses.append(_step(net, task, how, optimizer, indices, schedule.device))
            steps += 1
            _average(ema, net, min(schedule.ema_decay, (1 + steps) / (10 + steps)))
            spent_s += time.perf_counter() - began
            if spent_s >= budget_s:
                break
        epoch += 1
        record = {
            "epoch": epoch,
            "steps": steps,
            "minutes": round(spent_s / 60, 2),
            "size_px": how.size_px,
            "loss": round(sum(losses) / len(losses), 4),
        }
        if epoch % schedule.validate_every == 0 or spent_s >= budget_s:
            record |= {key: round(value, 4) for key, value in validate(ema, how.size_px).items()}
        _save(run, net, ema, optimizer, {"steps": steps, "spent_s": spent_s, "epoch": epoch}, record)
    return ema


def _step(
    net: nn.Module,
    task: TrainingTask,
    how: Augmentation,
    optimizer: torch.optim.Optimizer,
    indices: Tensor,
    device: str,
) -> float:
    pictures, targets = task.batch(indices)
    targets = {name: target.to(device) for name, target in targets.items()}
    images = augment(pictures.to(device), how)
    if task.mixup > 0 and torch.rand(()) < 0.5:
        share = float(torch.distributions.Beta(task.mixup, task.mixup).sample())
        order = torch.randperm(len(images), device=device)
        images = share * images + (1 - share) * images[order]
        targets = {name: share * target + (1 - share) * target[order] for name, target in targets.items()}
    images = images.contiguous(memory_format=torch.channels_last)
    with mixed_precision(torch.device(device)):
        logits = net(images)
    loss = task.loss({name: value.float() for name, value in logits.items()}, targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    return float(loss.detach())


def _shuffled(count: int, batch: int, seed: int) -> Iterator[Tensor]:
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    for part in order.split(batch):
        if len(part) > 1 or count == 1:  # batch normalisation needs two
            yield part


def _groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Norms and biases are not decayed."""
    decayed = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    free = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


@torch.no_grad()
def _average(ema: nn.Module, net: nn.Module, decay: float) -> None:
    own, new = ema.state_dict(), net.state_dict()
    for name, value in own.items():
        if value.dtype.is_floating_point:
            value.lerp_(new[name], 1 - decay)
        else:
            value.copy_(new[name])


def _resume(run: Path, net: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    last = run / "last.pt"
    if not last.is_file():
        run.mkdir(parents=True, exist_ok=True)
        return {"steps": 0, "spent_s": 0.0, "epoch": 0}
    saved = torch.load(last, map_location="cpu", weights_only=True)  # copied to where the network is
    net.load_state_dict(saved["net"])
    ema.load_state_dict(saved["ema"])
    optimizer.load_state_dict(saved["optimizer"])
    return dict(saved["state"])


def _save(
    run: Path,
    net: nn.Module,
    ema: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    record: dict[str, Any],
) -> None:
    parts = {"net": net.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict(), "state": state}
    torch.save(parts, run / "last.pt.part")
    (run / "last.pt.part").replace(run / "last.pt")
    torch.save(ema.state_dict(), run / "ema.pt.part")
    (run / "ema.pt.part").replace(run / "ema.pt")
    line = json.dumps(record)
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(line + "\n")
    print(line, flush=True)
