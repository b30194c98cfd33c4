"""What `margin` and `contrastive` learn: LFW's training people, two photos each, from random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from services.verifier.preprocess import shrink_chips
from trainer.loop import Plan, train
from trainer.precision import mixed_precision
from trainer.verifier.augment import augment
from trainer.verifier.chips import ChipSet
from trainer.verifier.config import SiameseConfig
from trainer.verifier.losses import MarginHead, PairLoss, contrastive_loss
from trainer.verifier.network import FlipEmbedding, Tower, embed_with, tower_spec
from trainer.verifier.pairs import balanced_pairs
from trainer.verifier.sampler import PersonSampler
from trainer.verifier.scoring import best_threshold, equal_error_rate
from trainer.verifier.split import Split, refuse_shared_people

VALIDATION_PAIRS = 300


class Siamese(nn.Module):
    """The tower with what its losses learn beside it."""

    def __init__(self, config: SiameseConfig, people: int) -> None:
        super().__init__()
        self.tower = Tower(config.tower)
        self.margin_head = MarginHead(people, config.tower.embedding, config.logit_scale)
        self.pair_loss = PairLoss()


class SiameseLearner:
    def __init__(self, data: ChipSet, split: Split, config: SiameseConfig, device: torch.device) -> None:
        rows = data.rows_by_person(split.train)
        refuse_shared_people(rows, split.held_out, "the photos to train on and the held-out people")
        self.config, self._split, self._device = config, split, device
        self._sampler = PersonSampler(rows, config.pairs_per_batch, config.singles_per_batch)
        torch.manual_seed(config.seed)
        siamese = Siamese(config, self._sampler.people)
        self.network: nn.Module = siamese.to(device=device, memory_format=torch.channels_last)
        side = config.tower.chip_side_px
        parts = np.array_split(data.chips, 64)
        self._chips = torch.from_numpy(np.concatenate([shrink_chips(part, side) for part in parts])).to(device)
        self._noise = torch.Generator()
        self._data = data
        held = data.rows_by_person(split.calibrate)
        possible = sum(len(listed) * (len(listed) - 1) // 2 for listed in held.values())
        self._pairs = balanced_pairs(held, min(VALIDATION_PAIRS, possible), config.seed)

    def groups(self) -> list[dict[str, Any]]:
        """Norms, slopes and scales are not decayed."""
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        decay = self.config.weight_decay
        return [
            {"params": matrices, "weight_decay": decay, "factor": 1.0},
            {"params": others, "weight_decay": 0.0, "factor": 1.0},
        ]

    def loss(self, rng: np.random.Generator, progress: float) -> tuple[Tensor, Mapping[str, float], int]:
        config = self.config
        batch = self._sampler.draw(rng)
        self._noise.manual_seed(int(rng.integers(2**62)))
        picked = self._chips[torch.from_numpy(batch.rows).to(self._device)]
        x = augment(picked, config.tower.input_px, config.augment, self._noise)
        with mixed_precision(self._device):
            raw = self.network.tower(x.contiguous(memory_format=torch.channels_last))
        embeddings = F.normalize(raw.float(), dim=1)
        person = torch.from_numpy(batch.person).to(self._device)
        if config.loss == "contrastive":
            total = contrastive_loss(embeddings, person)
            return total, {"pair": float(total.detach())}, len(batch.rows)
        margin = config.margin * min(1.0, progress / config.margin_ramp)
        identity = self.network.margin_head(embeddings, person, margin)
        pair = self.network.pair_loss(embeddings, person)
        figures = {"identity": float(identity.detach()), "pair": float(pair.detach())}
        return identity + config.pair_weight * pair, figures, len(batch.rows)

    def validate(self, average: nn.Module) -> Mapping[str, float]:
        """Accuracy and equal error rate on pairs of the calibrate group: to watch a run, not to judge it."""
        used, compact = np.unique(np.concatenate([self._pairs.first, self._pairs.second]), return_inverse=True)
        tower = self.config.tower
        network = FlipEmbedding(average.tower)
        vectors = embed_with(
            network, self._data.chips[used], tower_spec(tower.input_px), tower.chip_side_px, self._device
        )
        first, second = compact[: len(self._pairs)], compact[len(self._pairs) :]
        similarity = np.einsum("nd,nd->n", vectors[first], vectors[second])
        return {
            "accuracy": best_threshold(similarity, self._pairs.same)[1],
            "eer": equal_error_rate(similarity, self._pairs.same),
        }

    def description(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "split": {"name": self._split.name, "train": list(self._split.train)},
        }


def train_siamese(
    data: ChipSet, split: Split, config: SiameseConfig, run: Path, plan: Plan, device: torch.device
) -> Path:
    """Raises PeopleCrossSplit when a held-out person would be trained on, ValueError when `run` holds another run."""
    return train(SiameseLearner(data, split, config, device), plan, run)
