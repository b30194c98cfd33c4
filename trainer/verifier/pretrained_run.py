"""`train --config pretrained`: from two chip sets and two files of weights to a trained run. Resumable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from trainer.loop import CHECKPOINT, Plan, train
from trainer.verifier.alike import AlikeSampler
from trainer.verifier.begin import begin, centre_own
from trainer.verifier.chips import ChipSet
from trainer.verifier.dlib_tower import DlibTower, fill, tower_of
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.pretrained import find_weights, read_weights
from trainer.verifier.pretrained_learner import Pictures, PretrainedConfig, PretrainedLearner
from trainer.verifier.sampler import PersonSampler
from trainer.verifier.sface import SFace, find_sface
from trainer.verifier.split import Split, refuse_shared_people
from trainer.verifier.teachers import Answer, Teacher, mirror_averaged, straight_answer
from trainer.verifier.watch import Watch

START: Final = "start.pt"  # the student before its first step, for averaging with what it becomes
TEACHERS: Final = "teachers"
CENTRE_PORTRAITS: Final = 2000  # that the teachers' centres are taken from


@dataclass(frozen=True, slots=True)
class Beginning:
    """Files to begin from; None looks for the package's. `tower` is a checkpoint of this config to go on from."""

    weights: Path | None = None
    sface: Path | None = None
    tower: Path | None = None


def train_pretrained(
    lfw: ChipSet,
    split: Split,
    portraits: PortraitSet,
    config: PretrainedConfig,
    run: Path,
    plan: Plan,
    beginning: Beginning,
    device: torch.device,
) -> Path:
    """Raises WeightsMissing without the packages' files, PeopleCrossSplit when a held-out person would be trained on,
    ValueError when `run` holds a run of another config or split."""
    people = lfw.rows_by_person(split.train)
    refuse_shared_people(people, split.held_out, "the photos to train on and the held-out people")
    sampler = PersonSampler(people, config.people, config.singles)
    photos = np.array(sorted(row for listed in people.values() for row in listed), dtype=np.int64)
    faces = portraits.of_part("train")
    alike = AlikeSampler(portraits.rows, faces, config.groups, config.each)

    start = DlibTower()
    fill(start, read_weights(beginning.weights or find_weights()))
    pictures = Pictures((lfw.chips, portraits.chips))
    answers: dict[str, tuple[float, Answer]] = {"start": (config.start_weight, straight_answer(start, device))}
    if config.sface_weight:
        answers["sface"] = (config.sface_weight, SFace(beginning.sface or find_sface()).embed)
    teachers = [
        Teacher(weight, mirror_averaged(answer), run / TEACHERS / f"{name}.npy", pictures.draw, len(pictures))
        for name, (weight, answer) in answers.items()
    ]
    measured = np.sort(np.random.default_rng(config.seed).permutation(faces)[:CENTRE_PORTRAITS])
    for teacher in teachers:
        teacher.centre_on(portraits.rows, measured, len(lfw))

    if (run / START).is_file():
        tower = tower_of(torch.load(run / START, weights_only=True))
    else:
        if beginning.tower is not None:
            start = load_trunk(beginning.tower)
        rows = np.concatenate([photos, faces + len(lfw)])
        second = teachers[1] if len(teachers) > 1 else None
        shares = (config.start_weight, config.sface_weight)
        tower = begin(start, pictures, rows, second, shares, config.fitted, device, config.seed)
        tower = centre_own(tower.to(device), pictures, portraits.rows, faces, len(lfw))
        for teacher in teachers:
            teacher.keep()
        torch.save(tower.state_dict(), run / START)
    learner = PretrainedLearner(
        config,
        tower,
        pictures,
        teachers,
        sampler,
        alike,
        len(lfw),
        Watch(lfw, split, portraits, device),
        {"split": {"name": split.name, "train": list(split.train)}},
        device,
    )
    return train(learner, plan, run)


def load_trunk(checkpoint: Path) -> DlibTower:
    """The averaged tower of another run of this config."""
    stored: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    state = {name.removeprefix("tower."): value for name, value in stored.items() if name.startswith("tower.")}
    return tower_of(state)


__all__ = ["CHECKPOINT", "Beginning", "train_pretrained"]
