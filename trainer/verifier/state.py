"""The state of a training run: made, carried over to another resolution, saved and resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainer.verifier.averaging import AveragedWeights
from trainer.verifier.config import TrainConfig, config_from_dict
from trainer.verifier.losses import MarginHead, PairLoss
from trainer.verifier.network import AnyTower, build_tower, fit_head
from trainer.verifier.split import Split

CHECKPOINT = "last.pt"


@dataclass
class TrainingState:
    """All that a resumed run needs; everything but `tower` is the same at every resolution."""

    tower: AnyTower
    average: AveragedWeights
    margin_head: MarginHead
    pair_loss: PairLoss
    optimizer: torch.optim.Optimizer
    input_px: int
    optimizer_since: int = 0  # step from which this optimizer warms up
    step: int = 0
    worked_s: float = 0.0


def start(
    config: TrainConfig,
    split: Split,
    people: int,
    device: torch.device,
    initial: Path | None,
    begin: Callable[[AnyTower], None] | None = None,
) -> TrainingState:
    """A new run; from the averaged tower of `initial` where given, and its class centres if its people are the same.
    `begin` fills a new tower's backbone."""
    torch.manual_seed(config.seed)
    tower = build_tower(config.tower, config.resolutions[0][1])
    margin_head, pair_loss = MarginHead(people, config.tower.embedding, config.logit_scale), PairLoss()
    if begin is not None:
        begin(tower)
    if initial is not None:
        stored = torch.load(initial, map_location="cpu", weights_only=True)
        tower.load_state_dict(fit_head(stored["average"], tower))
        if tuple(stored["split"]["train"]) == split.train:
            margin_head.load_state_dict(stored["margin_head"])
            pair_loss.load_state_dict(stored["pair_loss"])
    return _assemble(config, tower, margin_head, pair_loss, device)


def _assemble(
    config: TrainConfig, tower: AnyTower, margin_head: MarginHead, pair_loss: PairLoss, device: torch.device
) -> TrainingState:
    tower = tower.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    margin_head, pair_loss = margin_head.to(device), pair_loss.to(device)
    # Norms, biases and slopes are not shrunk: they have no size to keep in check.
    parameters = [*tower.parameters(), *margin_head.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [*(p for p in parameters if p.ndim <= 1), *pair_loss.parameters()], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
    average = AveragedWeights(tower, config.ema_decay)
    return TrainingState(tower, average, margin_head, pair_loss, optimizer, tower.input_px)


def change_resolution(state: TrainingState, config: TrainConfig, side: int, device: torch.device) -> TrainingState:
    """The same network for another input size. The average starts anew: norms of one size do not fit another."""
    tower = build_tower(config.tower, side)
    tower.load_state_dict(fit_head(state.tower.state_dict(), tower))
    changed = _assemble(config, tower, state.margin_head, state.pair_loss, device)
    changed.step, changed.worked_s, changed.optimizer_since = state.step, state.worked_s, state.step
    return changed


def save(path: Path, state: TrainingState, config: TrainConfig, split: Split) -> None:
    part = path.with_suffix(".part")
    torch.save(
        {
            "tower": state.tower.state_dict(),
            "average": state.average.network.state_dict(),
            "updates": state.average.updates,
            "margin_head": state.margin_head.state_dict(),
            "pair_loss": state.pair_loss.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "input_px": state.input_px,
            "step": state.step,
            "optimizer_since": state.optimizer_since,
            "worked_s": state.worked_s,
            "config": config.to_dict(),
            "split": {"name": split.name, "train": list(split.train), "held_out": list(split.held_out)},
        },
        part,
    )
    part.replace(path)


def resume(path: Path, config: TrainConfig, split: Split, people: int, device: torch.device) -> TrainingState:
    stored = torch.load(path, map_location=device, weights_only=True)
    if config_from_dict(stored["config"]) != config or tuple(stored["split"]["train"]) != split.train:
        raise ValueError(f"{path.parent.name} holds a run of another config or split: choose another --run")
    tower = build_tower(config.tower, stored["input_px"])
    tower.load_state_dict(stored["tower"])
    state = _assemble(config, tower, MarginHead(people, config.tower.embedding, config.logit_scale), PairLoss(), device)
    state.average.network.load_state_dict(stored["average"])
    state.average.updates = stored["updates"]
    state.margin_head.load_state_dict(stored["margin_head"])
    state.pair_loss.load_state_dict(stored["pair_loss"])
    state.optimizer.load_state_dict(stored["optimizer"])
    state.step, state.worked_s = stored["step"], stored["worked_s"]
    state.optimizer_since = stored["optimizer_since"]
    return state
