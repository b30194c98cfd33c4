"""What a `pretrained` run ships: weights between its start and what it became, and how much each part of it says.

All of it is chosen on the half of the held-out people and portraits that may choose, never on the half that judges.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
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
from trainer.verifier.groups import Weighing, weighing
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.pretrained_run import START, load_trunk
from trainer.verifier.scoring import unit_length
from trainer.verifier.split import Split
from trainer.verifier.teachers import raw_parts
from trainer.verifier.watch import Watch

TOWER: Final = "tower.pt"
START_SHARES: Final = (0.0, 0.3, 0.6)
LEARNED_SHARES: Final = (0.75, 1.0, 1.5, 2.0, 3.0)
GROUP_SHARES: Final = (1.0, 0.8, 0.6, 0.4)
SAMPLED: Final = 3000  # training portraits that the groups' means are taken from
Parts = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Choice:
    """`start_share` of the start's weights, `learned_share` of the learned part beside the own one's 1, `group_share`
    of what lies along the differences between groups' means; and what was measured with them."""

    start_share: float
    learned_share: float
    group_share: float
    figures: dict[str, float]

    @property
    def worth(self) -> float:
        return sum(self.figures.values())


def choose(lfw: ChipSet, split: Split, portraits: PortraitSet, run: Path, device: torch.device) -> Choice:
    """Writes `tower.pt`: of all combinations the one whose figures (see Watch) are the highest in sum.

    Raises FileNotFoundError for a run without a checkpoint.
    """
    if not (run / CHECKPOINT).is_file():
        raise FileNotFoundError(f"{run} holds no {CHECKPOINT}: run `train` first")
    trained = load_trunk(run / CHECKPOINT).state_dict()
    began = torch.load(run / START, map_location="cpu", weights_only=True)
    watch = Watch(lfw, split, portraits, device)
    faces = np.sort(np.random.default_rng(0).permutation(portraits.of_part("train"))[:SAMPLED])
    groups = [portraits.rows[row].group for row in faces]
    best: tuple[Choice, dict[str, Tensor]] | None = None
    tried = []
    for start_share in START_SHARES:
        mixed = between(began, trained, start_share)
        answer = raw_parts(tower_of(mixed), device)
        sampled, photos, others = answer(portraits.chips[faces]), answer(watch.photos), answer(watch.portraits)
        for group_share, learned_share in _shares(sampled):
            weighings = {head: weighing(vectors, groups, group_share) for head, vectors in sampled.items()}
            figures = watch.figures(*(_embedded(parts, weighings, learned_share) for parts in (photos, others)))
            rounded = {name: round(value, 4) for name, value in figures.items()}
            choice = Choice(start_share, learned_share, group_share, rounded)
            tried.append(asdict(choice))
            if best is None or choice.worth > best[0].worth:
                best = choice, _folded(mixed, weighings, learned_share)
    assert best is not None
    stored = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    record: dict[str, Any] = {"chosen": asdict(best[0]), "tried": tried, "pictures": stored["clock"]["pictures"]}
    record["minutes"] = round(stored["clock"]["worked_s"] / 60, 1)
    part = run / f".{TOWER}.part"
    torch.save({"tower": best[1], "record": json.dumps(record), "description": stored["description"]}, part)
    part.replace(run / TOWER)
    print(json.dumps(record["chosen"]), flush=True)
    return best[0]


def between(start: Mapping[str, Tensor], trained: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights `share` of the way back from the trained to the start (Wortsman et al. 2022, robust fine-tuning)."""
    return {name: torch.lerp(trained[name].float().cpu(), start[name].float(), share) for name in trained}


def load_final(path: Path) -> tuple[DlibTower, dict[str, Any]]:
    """The tower that `choose` wrote, and its record."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return tower_of(stored["tower"]).eval(), json.loads(stored["record"]) | {"run": json.loads(stored["description"])}


def _shares(sampled: Parts) -> Iterator[tuple[float, float]]:
    return itertools.product(GROUP_SHARES, LEARNED_SHARES if "learned" in sampled else (0.0,))


def _embedded(parts: Parts, weighings: Mapping[str, Weighing], learned_share: float) -> NDArray[np.float32]:
    """What the tower with these shares would answer, from what its heads answered."""
    weighed = {head: unit_length(weighings[head].of(vectors)) for head, vectors in parts.items()}
    if "learned" not in weighed:
        return weighed["own"]
    return unit_length(np.concatenate([weighed["own"], learned_share * weighed["learned"]], axis=1))


def _folded(state: Mapping[str, Tensor], weighings: Mapping[str, Weighing], learned_share: float) -> dict[str, Tensor]:
    folded = dict(state)
    for head, each in weighings.items():
        folded = each.folded(folded, head)
    return {**folded, "shares": torch.tensor([1.0, learned_share])}
