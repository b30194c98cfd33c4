"""The second half of a run's embedding: frozen maps under a discriminant projection, beside the trained tower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from services.verifier.preprocess import tower_input
from trainer.verifier.begin import begin_from_attributes
from trainer.verifier.chips import ChipSet
from trainer.verifier.config import TowerConfig, config_from_dict
from trainer.verifier.discriminant import DiscriminantConfig, fit_projection
from trainer.verifier.network import BackboneTower, halves, tower_spec, with_mirrored
from trainer.verifier.split import Split
from trainer.verifier.state import CHECKPOINT

DISCRIMINANT = "discriminant.pt"
BATCH = 64


class MirroredMaps(nn.Module):
    """(N, 3, px, px) in [-1, 1] → (N, values): a backbone's maps of the face and, turned back, of its mirror image."""

    def __init__(self, tower: BackboneTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, x: Tensor) -> Tensor:
        views = [halves(each) for each in self.tower.maps(with_mirrored(x))]
        means = [(straight + torch.flip(mirrored, dims=(3,))) / 2 for straight, mirrored in views]
        return torch.cat([mean.flatten(1) for mean in means], dim=1)


class Ensemble(nn.Module):
    """Two embeddings of unit length, the second one's `weight` times as long, as one of unit length.

    Its cosine is the mean of theirs, weighed 1 to weight squared.
    """

    def __init__(self, trained: nn.Module, maps: MirroredMaps, projection: nn.Linear, weight: float) -> None:
        super().__init__()
        self.trained, self.maps, self.projection, self.weight = trained, maps, projection, weight

    def forward(self, x: Tensor) -> Tensor:
        second = F.normalize(self.projection(self.maps(x)), dim=1)
        return F.normalize(torch.cat([self.trained(x), self.weight * second], dim=1), dim=1)


def fit_second_opinion(data: ChipSet, split: Split, run: Path, bundles: Path, config: DiscriminantConfig) -> Path:
    """Fits the projection on the run's training people and writes `run/discriminant.pt`, which the run's embedding has
    a share in from then on. Raises ValueError when the run was trained on other people, or with another kind of tower.
    """
    stored = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    if tuple(stored["split"]["train"]) != split.train:
        raise ValueError(f"{run.name} was trained on other people than those of {data.folder.name}")
    tower_config = config_from_dict(stored["config"]).tower
    tower = _blank(tower_config)
    rows = np.array([row for listed in data.rows_by_person(split.train).values() for row in listed])
    names = [data.rows[row].person for row in rows]
    side = tower_config.chip_side_for(tower.input_px)
    begin_from_attributes(tower, bundles, data, rows.tolist(), side)
    maps = MirroredMaps(tower).eval()
    parts = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(rows), BATCH), desc="maps", mininterval=5):
            x = tower_input(data.chips[rows[start : start + BATCH]], tower_spec(tower.input_px), side)
            parts.append(maps(torch.from_numpy(x)))
    features = torch.cat(parts)
    scale = _map_scales(tower, features)
    mean, matrix = fit_projection(features * scale, np.unique(names, return_inverse=True)[1], config)
    weight = torch.from_numpy(matrix.T) * scale
    state: dict[str, Any] = {
        "backbone": tower.backbone.state_dict(),
        "weight": weight,
        "bias": -torch.from_numpy(mean @ matrix),
        "share": config.weight,
        "train": list(split.train),
    }
    part = run / f".{DISCRIMINANT}.part"
    torch.save(state, part)
    part.replace(run / DISCRIMINANT)
    return run / DISCRIMINANT


def with_second_opinion(trained: nn.Module, tower_config: TowerConfig, run: Path) -> nn.Module:
    """The trained network, and beside it what `fit_second_opinion` left in the run's folder, where it did."""
    if not (run / DISCRIMINANT).is_file():
        return trained
    stored = torch.load(run / DISCRIMINANT, map_location="cpu", weights_only=True)
    tower = _blank(tower_config)
    tower.backbone.load_state_dict(stored["backbone"])
    projection = nn.Linear(stored["weight"].shape[1], stored["weight"].shape[0])
    projection.load_state_dict({"weight": stored["weight"], "bias": stored["bias"]})
    return Ensemble(trained, MirroredMaps(tower), projection, float(stored["share"])).eval()


def _blank(config: TowerConfig) -> BackboneTower:
    if config.trunk != "backbone":
        raise ValueError("a second opinion stands beside a tower on the backbone: train with --config transfer")
    tower = BackboneTower(config)
    tower.head, tower.norms = nn.Sequential(), nn.ModuleList()  # only its maps are read
    return tower.eval()


def _map_scales(tower: BackboneTower, features: Tensor) -> Tensor:
    """(values,): brings each map to the same variance in sum, so that none speaks louder for being larger."""
    sizes = [each.flatten(1).shape[1] for each in tower.maps(torch.zeros(1, 3, tower.input_px, tower.input_px))]
    centred = features - features.mean(0)
    scales = [float(part.square().sum(1).mean().rsqrt()) for part in centred.split(sizes, dim=1)]
    return torch.repeat_interleave(torch.tensor(scales), torch.tensor(sizes))
