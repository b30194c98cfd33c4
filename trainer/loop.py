"""The training loop: a budget, a schedule, averaged weights, a log, checkpoints. What is learned is plugged in.

A run's folder holds `checkpoint.pt`, from which the same call goes on, and `train.jsonl`, a line a report.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from trainer.averaging import AveragedWeights

CHECKPOINT: Final = "checkpoint.pt"
LOG: Final = "train.jsonl"


class Learner(Protocol):
    """What differs from task to task. `network` holds all that is trained, learned scales of a loss included."""

    network: nn.Module

    def groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups: `params`, `weight_decay`, and `factor` of the learning rate."""
        ...

    def loss(self, rng: np.random.Generator, progress: float) -> tuple[Tensor, Mapping[str, float], int]:
        """Draws a batch: its loss, figures to log, and how many pictures it showed."""
        ...

    def validate(self, average: nn.Module) -> Mapping[str, float]:
        """Figures of the averaged network, to watch a run by."""
        ...

    def description(self) -> dict[str, Any]:
        """What must be the same when a run goes on, of plain values."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """`hours` of work in all, or `steps`, resumed parts included. Saved and validated every `every_s` seconds."""

    learning_rate: float
    hours: float = 1.0
    steps: int | None = None
    every_s: float = 300.0
    warm_up: float = 0.03
    last: float = 0.002  # share of the learning rate that is left at the end
    ema_decay: float = 0.998
    clip: float = 1.0
    seed: int = 7

    def factor(self, progress: float) -> float:
        """Share of the learning rate at `progress`, 0 to 1: a short rise, then half a cosine."""
        if progress < self.warm_up:
            return progress / self.warm_up + 0.01
        along = min((progress - self.warm_up) / (1 - self.warm_up), 1.0)
        return 0.5 * (1 + math.cos(math.pi * along)) + self.last


@dataclass
class Clock:
    """How far a run is: steps, pictures, and seconds of work without validation and saving."""

    steps: int = 0
    pictures: int = 0
    worked_s: float = 0.0

    def progress(self, plan: Plan) -> float:
        return self.steps / plan.steps if plan.steps is not None else self.worked_s / (plan.hours * 3600)


def train(learner: Learner, plan: Plan, run: Path) -> Path:
    """Trains until the budget is spent and returns the checkpoint. Ctrl-C saves and stops; the same call goes on.

    Raises ValueError when `run` holds a run of another description.
    """
    run.mkdir(parents=True, exist_ok=True)
    network = learner.network
    average = AveragedWeights(network, plan.ema_decay)
    optimizer = torch.optim.AdamW(
        [{**group, "lr": plan.learning_rate * group["factor"]} for group in learner.groups()], fused=_fused(network)
    )
    clock = _resume(run, learner, average, optimizer)
    rng = np.random.default_rng((plan.seed, clock.steps))
    torch.manual_seed(int(rng.integers(2**62)))
    seen: dict[str, list[float]] = defaultdict(list)
    before_s, reported_s = time.monotonic(), clock.worked_s
    try:
        while (progress := clock.progress(plan)) < 1:
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * group["factor"] * plan.factor(progress)
            network.train()
            loss, figures, pictures = learner.loss(rng, progress)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
            optimizer.step()
            average.update(network)
            for name, value in figures.items():
                seen[name].append(value)
            now_s = time.monotonic()
            clock = Clock(clock.steps + 1, clock.pictures + pictures, clock.worked_s + now_s - before_s)
            before_s = now_s
            if clock.worked_s - reported_s > plan.every_s or clock.progress(plan) >= 1:
                _save(run, learner, average, optimizer, clock)
                _report(run, clock, seen, learner.validate(average.network))
                seen.clear()
                before_s, reported_s = time.monotonic(), clock.worked_s
    except KeyboardInterrupt:
        _save(run, learner, average, optimizer, clock)
        print("interrupted: saved; the same command continues", flush=True)
        raise
    return run / CHECKPOINT


def _fused(network: nn.Module) -> bool:
    return next(network.parameters()).device.type in ("cpu", "cuda")


def _resume(run: Path, learner: Learner, average: AveragedWeights, optimizer: torch.optim.Optimizer) -> Clock:
    path = run / CHECKPOINT
    if not path.is_file():
        return Clock()
    stored = torch.load(path, map_location=next(learner.network.parameters()).device, weights_only=True)
    if json.loads(stored["description"]) != json.loads(json.dumps(learner.description())):
        raise ValueError(f"{run.name} holds a run of another config or split: choose another --run")
    learner.network.load_state_dict(stored["network"])
    average.network.load_state_dict(stored["average"])
    average.updates = stored["clock"]["steps"]
    optimizer.load_state_dict(stored["optimizer"])
    return Clock(**stored["clock"])


def _save(
    run: Path, learner: Learner, average: AveragedWeights, optimizer: torch.optim.Optimizer, clock: Clock
) -> None:
    part = run / f".{CHECKPOINT}.part"
    torch.save(
        {
            "network": learner.network.state_dict(),
            "average": average.network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "clock": {"steps": clock.steps, "pictures": clock.pictures, "worked_s": clock.worked_s},
            "description": json.dumps(learner.description()),
        },
        part,
    )
    part.replace(run / CHECKPOINT)


def _report(run: Path, clock: Clock, seen: Mapping[str, list[float]], figures: Mapping[str, float]) -> None:
    line = {
        "minutes": round(clock.worked_s / 60, 1),
        "steps": clock.steps,
        "pictures": clock.pictures,
        "pictures_per_s": round(clock.pictures / max(clock.worked_s, 1e-9), 1),
        **{name: round(float(np.mean(values)), 4) for name, values in seen.items()},
        **{name: round(value, 4) for name, value in figures.items()},
    }
    with (run / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)
