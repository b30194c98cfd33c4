"""What a `pretrained` run ships: weights between its start and what it became, and a head that weighs groups less.

Both shares are chosen on the half of the held-out people and portraits that may choose, never on the half that judges.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.loop import CHECKPOINT
from trainer.verifier.chips import ChipSet
from trainer.verifier.dlib_tower import DlibTower, tower_of
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.pretrained_run import START, load_trunk
from trainer.verifier.split import Split
from trainer.verifier.teachers import raw_answer
from trainer.verifier.watch import watch

TOWER: Final = "tower.pt"
START_SHARES: Final = (0.0, 0.15, 0.3, 0.5)
GROUP_SHARES: Final = (1.0, 0.6, 0.3)
SAMPLED: Final = 8000  # training portraits that the groups' means are taken from
ROOM: Final = 0.0034  # of genuine pairs: one of 300


@dataclass(frozen=True, slots=True)
class Choice:
    """`start_share` of the start's weights; `group_share` of what lies along the differences between groups' means."""

    start_share: float
    group_share: float
    figures: dict[str, float]


def choose(lfw: ChipSet, split: Split, portraits: PortraitSet, run: Path, device: torch.device) -> Choice:
    """Writes `tower.pt`: of all combinations the one that finds most genuine pairs at 1 % of strangers who look alike,
    at 0.1 % of all, and judges most pairs right, in sum. Raises FileNotFoundError for a run without a checkpoint."""
    if not (run / CHECKPOINT).is_file():
        raise FileNotFoundError(f"{run} holds no {CHECKPOINT}: run `train` first")
    trained, began = load_trunk(run / CHECKPOINT), torch.load(run / START, weights_only=True)
    validate = watch(lfw, split, portraits, device)
    faces = portraits.of_part("train")
    faces = np.sort(np.random.default_rng(0).permutation(faces)[:SAMPLED])
    best: tuple[float, Choice, dict[str, Tensor]] | None = None
    tried = []
    for start_share in START_SHARES:
        mixed = between(began, trained.state_dict(), start_share)
        answers = raw_answer(tower_of(mixed), device)(portraits.chips[faces])
        for group_share in GROUP_SHARES:
            state = weigh_groups(mixed, answers, [portraits.rows[row].group for row in faces], group_share)
            figures = dict(validate(tower_of(state)))
            choice = Choice(start_share, group_share, {name: round(value, 4) for name, value in figures.items()})
            tried.append(asdict(choice))
            print(json.dumps(tried[-1]), flush=True)
            worth = sum(figures.values())
            if best is None or worth > best[0]:
                best = (worth, choice, state)
    assert best is not None
    _, choice, state = best
    stored = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    record: dict[str, Any] = {"chosen": asdict(choice), "tried": tried, "pictures": stored["clock"]["pictures"]}
    record["minutes"] = round(stored["clock"]["worked_s"] / 60, 1)
    part = run / f".{TOWER}.part"
    torch.save({"tower": state, "record": json.dumps(record), "description": stored["description"]}, part)
    part.replace(run / TOWER)
    return choice


def between(start: dict[str, Tensor], trained: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights `share` of the way back from the trained to the start (Wortsman et al. 2022, robust fine-tuning)."""
    return {name: torch.lerp(trained[name].float(), start[name].float(), share) for name in trained}


def weigh_groups(
    state: dict[str, Tensor], answers: NDArray[np.float32], groups: list[str], share: float
) -> dict[str, Tensor]:
    """The head with its answers centred on the groups' mean, and shortened to `share` along the groups' differences.

    Strangers of one group share those directions: the longer they are, the more alike such strangers look, and the more
    differently groups are treated. `answers` (N, D) are the tower's on portraits of `groups`, before unit length.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        if group:
            members[group].append(index)
    means = np.stack([answers[listed].mean(axis=0) for _, listed in sorted(members.items())]).astype(np.float64)
    centre = means.mean(axis=0)
    _, lengths, directions = np.linalg.svd(means - centre, full_matrices=False)
    directions = directions[lengths > 1e-6 * lengths[0]]
    shorten = np.eye(len(centre)) - (1 - share) * directions.T @ directions
    weight, bias = state["head.weight"].double(), state["head.bias"].double()
    by, middle = torch.from_numpy(shorten), torch.from_numpy(centre)
    return {**state, "head.weight": (by @ weight).float(), "head.bias": (by @ (bias - middle)).float()}


def load_final(path: Path) -> tuple[DlibTower, dict[str, Any]]:
    """The tower that `choose` wrote, and its record."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return tower_of(stored["tower"]), json.loads(stored["record"]) | {"run": json.loads(stored["description"])}
