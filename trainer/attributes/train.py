"""`train`: the emotion network, or the face network with its three heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.attributes.augment import augment
from trainer.attributes.emotion import EmotionSet, predict_emotions
from trainer.attributes.faces import FaceSet, predict_faces
from trainer.attributes.fit import Schedule, TrainingTask, fit
from trainer.attributes.labels import UNKNOWN, age_bin
from trainer.attributes.network import AttributeNet, EmotionNet, FaceNet, load_backbone
from trainer.attributes.restore import restore

NORM_BATCHES = 16  # 2,048 faces: a mean over them is off by a fiftieth of a deviation


@dataclass(frozen=True)
class Start:
    """What a run begins from: COCO's backbone (a file), the networks of exported bundles (their folder), or nothing."""

    weights: Path | None = None

    def fill(self, net: AttributeNet, task: TrainingTask) -> AttributeNet:
        """Raises ValueError for bundles of another network."""
        if self.weights is None:
            return net
        if self.weights.is_dir():
            restore(net, self.weights, augmented(task))
            print(f"goes on from the bundles of {', '.join(net.heads)} in {self.weights}", flush=True)
        else:
            print(f"{load_backbone(net, self.weights)} tensors taken from {self.weights.name}", flush=True)
        return net


def augmented(task: TrainingTask, batches: int = NORM_BATCHES) -> Iterator[Tensor]:
    """Batches (128, C, S, S) as training shows them, drawn with torch's own random state."""
    for indices in torch.randperm(len(task))[: batches * 128].split(128):
        yield augment(task.batch(indices)[0], task.augmentation)


def train_emotion(data: Path, run: Path, start: Start, schedule: Schedule) -> None:
    """Trains on `data`/emotion.npz into `run`."""
    faces = EmotionSet(data)
    torch.manual_seed(schedule.seed)
    net = start.fill(EmotionNet(), faces)

    def validate(ema: nn.Module, size_px: int) -> Mapping[str, float]:
        answers = predict_emotions(ema, faces.pixels[faces.held_out], size_px).argmax(axis=1)
        return {"held_out_accuracy": float(np.mean(answers == faces.classes[faces.held_out]))}

    fit(net, faces, schedule, run, validate)


def train_faces(data: Path, run: Path, start: Start, schedule: Schedule) -> None:
    """Trains age, gender and ethnicity on `data`/chips.npy and faces.npz into `run`."""
    faces = FaceSet(data)
    torch.manual_seed(schedule.seed)
    net = start.fill(FaceNet(), faces)
    held_out = np.flatnonzero(faces.held_out)
    chips = np.asarray(faces.chips[held_out])

    def validate(ema: nn.Module, size_px: int) -> Mapping[str, float]:
        answers = predict_faces(ema, chips, size_px)
        years = answers["age"] @ np.arange(answers["age"].shape[1])
        return quick_figures(faces, held_out, years, answers)

    fit(net, faces, schedule, run, validate)


def quick_figures(
    faces: FaceSet,
    rows: NDArray[np.int64],
    years: NDArray[np.float32],
    answers: Mapping[str, NDArray[np.float32]],
) -> dict[str, float]:
    """The four figures that a training run is watched by, on the given rows."""
    labels = {name: faces.rows[name][rows] for name in ("age_years", "age_bin", "gender", "ethnicity")}
    exact, binned = labels["age_years"] != UNKNOWN, labels["age_bin"] != UNKNOWN
    bins = np.array([age_bin(year) for year in years])
    known = labels["ethnicity"] != UNKNOWN
    fairface = known & binned
    return {
        "age_error_years": float(np.abs(years - labels["age_years"])[exact].mean()),
        "bin_or_neighbour": float((np.abs(bins - labels["age_bin"])[binned] <= 1).mean()),
        "gender": float((answers["gender"].argmax(axis=1) == labels["gender"]).mean()),
        "gender_fairface": float((answers["gender"].argmax(axis=1) == labels["gender"])[binned].mean()),
        "ethnicity_fairface": float((answers["ethnicity"].argmax(axis=1) == labels["ethnicity"])[fairface].mean()),
    }
