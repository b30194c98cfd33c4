"""One loop: photos of people in pairs, a margin and a pair loss, averaged weights, a budget of hours. Resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from services.verifier.preprocess import shrink_chips
from trainer.precision import mixed_precision
from trainer.verifier.augment import augment, centre_crop
from trainer.verifier.begin import begin_from_attributes
from trainer.verifier.chips import ChipSet
from trainer.verifier.config import TrainConfig
from trainer.verifier.embedding import embed_with
from trainer.verifier.losses import contrastive_loss
from trainer.verifier.network import AnyTower, BackboneTower, FlipEmbedding
from trainer.verifier.pairs import balanced_pairs
from trainer.verifier.replicas import Replicas
from trainer.verifier.sampler import PersonSampler
from trainer.verifier.scoring import best_threshold, equal_error_rate
from trainer.verifier.split import Split, refuse_shared_people
from trainer.verifier.state import CHECKPOINT, TrainingState, change_resolution, resume, save, start

LOG = "train.jsonl"


@dataclass(frozen=True, slots=True)
class Budget:
    """`hours` of work in all, or `steps`, resumed runs included; saved and validated every `every_s` seconds."""

    hours: float = 1.0
    steps: int | None = None
    every_s: float = 300.0
    validation_pairs: int = 300

    def progress(self, state: TrainingState) -> float:
        """Share of the run that is done, 1 and more at its end."""
        if self.steps is not None:
            return state.step / self.steps
        return state.worked_s / (self.hours * 3600)


def train(
    data: ChipSet,
    split: Split,
    config: TrainConfig,
    run: Path,
    budget: Budget,
    device: torch.device,
    initial: Path | None = None,
    backbone: Path | None = None,
) -> Path:
    """Trains until the budget is spent and returns the checkpoint. Ctrl-C saves and stops; the same call continues.
    A new run begins from the checkpoint `initial`, or its backbone from the attribute bundles in `backbone`.

    Raises PeopleCrossSplit when a photo of a held-out person would be trained on, ValueError when `run` holds a run
    of another config or split.
    """
    rows = data.rows_by_person(split.train)
    refuse_shared_people(rows, split.held_out, "the photos to train on and the held-out people")
    sampler = PersonSampler(rows, config)
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / CHECKPOINT
    if checkpoint.is_file():
        state = resume(checkpoint, config, split, sampler.people, device)
    else:
        state = start(config, split, sampler.people, device, initial, _begin(backbone, config, data, rows))
    validate = _validation(data, split, config, budget, device)
    replicas = Replicas()
    rng = np.random.default_rng((config.seed, state.step, replicas.rank))
    noise = torch.Generator().manual_seed(int(rng.integers(2**62)))
    chips: Tensor | None = None
    before_s, saved_s = time.monotonic(), state.worked_s
    recent: list[tuple[float, float]] = []
    bar = tqdm(total=1000, unit="permille", desc=f"train {config.name}", mininterval=10, disable=not replicas.is_first)
    try:
        while (progress := budget.progress(state)) < 1:
            side = _resolution(config, progress)
            if side != state.input_px:
                state = change_resolution(state, config, side, device)
                chips = None
            if chips is None:
                chips = _load_chips(data, config.tower.chip_side_for(side)).to(device)
            batch = sampler.draw(rng)
            x = _batch_pixels(chips, batch.rows, side, config, noise)
            person = torch.from_numpy(batch.person).to(device)
            recent.append(_step(state, config, x, person, progress, replicas))
            now_s = time.monotonic()
            state.worked_s, before_s = replicas.as_first(state.worked_s + now_s - before_s), now_s
            bar.update(min(round(1000 * budget.progress(state)), 1000) - bar.n)
            if state.worked_s - saved_s > budget.every_s or budget.progress(state) >= 1:
                if replicas.is_first:
                    _report(run, state, recent, len(batch.rows) * replicas.count, validate(state), bar)
                    save(checkpoint, state, config, split)
                recent.clear()
                before_s, saved_s = time.monotonic(), state.worked_s  # validating is no training time
    except KeyboardInterrupt:
        if replicas.is_first:
            bar.write("interrupted: saved; the same command continues")
            save(checkpoint, state, config, split)
        raise
    finally:
        bar.close()
    return checkpoint


def _begin(
    bundles: Path | None, config: TrainConfig, data: ChipSet, rows: Mapping[str, Sequence[int]]
) -> Callable[[AnyTower], None] | None:
    if bundles is None:
        return None

    def begin(tower: AnyTower) -> None:
        if not isinstance(tower, BackboneTower):
            raise ValueError(f"config {config.name!r} has no backbone to begin from attribute bundles")
        every = [row for listed in rows.values() for row in listed]
        begin_from_attributes(tower, bundles, data, every, config.tower.chip_side_for(tower.input_px))

    return begin


def _step(
    state: TrainingState, config: TrainConfig, x: Tensor, person: Tensor, progress: float, replicas: Replicas
) -> tuple[float, float]:
    rate = config.learning_rate * min(1.0, (state.step - state.optimizer_since + 1) / config.warmup_steps)
    rate *= 0.5 * (1 + math.cos(math.pi * progress)) + 1e-3
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.tower.train()
    with mixed_precision(x.device):
        raw = state.tower(x)
    embeddings = F.normalize(raw.float(), dim=1)
    if config.loss == "contrastive":
        identity, pair = embeddings.new_zeros(()), contrastive_loss(embeddings, person)
    else:
        margin = config.margin * min(1.0, progress / config.margin_ramp)
        identity = state.margin_head(embeddings, person, margin)
        pair = config.pair_weight * state.pair_loss(embeddings, person)
    state.optimizer.zero_grad(set_to_none=True)
    (identity + pair).backward()
    replicas.average_gradients(p for group in state.optimizer.param_groups for p in group["params"])
    state.optimizer.step()
    state.average.update(state.tower)
    state.step += 1
    return float(identity.detach()), float(pair.detach())


def _resolution(config: TrainConfig, progress: float) -> int:
    return [side for start, side in config.resolutions if progress >= start][-1]


def _load_chips(data: ChipSet, side_px: int) -> Tensor:
    return torch.from_numpy(np.concatenate([shrink_chips(part, side_px) for part in np.array_split(data.chips, 64)]))


def _batch_pixels(
    chips: Tensor, rows: np.ndarray[Any, Any], side: int, config: TrainConfig, noise: torch.Generator
) -> Tensor:
    """The batch's pictures (N, 3, side, side), made where the chips are: a GPU learns more than a CPU can vary."""
    picked = chips[torch.from_numpy(rows).to(chips.device)]
    x = augment(picked, side, config.augment, noise) if config.augment else centre_crop(picked, side)
    return x.contiguous(memory_format=torch.channels_last)


def _validation(
    data: ChipSet, split: Split, config: TrainConfig, budget: Budget, device: torch.device
) -> Callable[[TrainingState], dict[str, float]]:
    """Accuracy and equal error rate on pairs of the calibrate group: to watch a run, not to judge it."""
    pairs = balanced_pairs(data.rows_by_person(split.calibrate), budget.validation_pairs, config.seed)
    used, compact = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    first, second = compact[: len(pairs)], compact[len(pairs) :]
    chips = np.ascontiguousarray(data.chips[used])

    def validate(state: TrainingState) -> dict[str, float]:
        network = FlipEmbedding(state.average.network)
        vectors = embed_with(network, chips, state.input_px, config.tower.chip_side_for(state.input_px), device)
        similarity = np.einsum("nd,nd->n", vectors[first], vectors[second])
        accuracy = best_threshold(similarity, pairs.same)[1]
        return {"accuracy": accuracy, "eer": equal_error_rate(similarity, pairs.same)}

    return validate


def _report(
    run: Path,
    state: TrainingState,
    recent: list[tuple[float, float]],
    batch: int,
    figures: dict[str, float],
    bar: tqdm[Any],
) -> None:
    identity, pair = np.mean(recent, axis=0)
    line = {
        "minutes": round(state.worked_s / 60, 1),
        "step": state.step,
        "photos": state.step * batch,
        "input_px": state.input_px,
        "identity_loss": round(float(identity), 4),
        "pair_loss": round(float(pair), 4),
        **{key: round(value, 4) for key, value in figures.items()},
    }
    with (run / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    bar.write(json.dumps(line))
