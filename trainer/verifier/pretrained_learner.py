"""What the config `pretrained` learns: the teachers' answers, who is who in LFW, and strangers who look alike apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.precision import mixed_precision
from trainer.verifier.alike import AlikeSampler
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.sampler import PersonSampler
from trainer.verifier.teachers import Teacher, target
from trainer.verifier.views import degraded_views

HEADS = ("tower.own.", "tower.learned.")
Validate = Callable[[DlibTower], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class PretrainedConfig:
    """Weights of the losses, and what a batch is made of."""

    name: str = "pretrained"
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    start_weight: float = 1.0  # of the start's own answer in the target
    sface_weight: float = 1.5  # of SFace's; 0 teaches without it
    match: float = 4.0
    relation: float = 10.0
    pair: float = 0.15
    people: int = 16  # of LFW, two photos each
    singles: int = 8  # people of LFW with one photo
    groups: int = 3
    each: int = 24  # portraits of a group
    fitted: int = 60_000  # views that the learned head begins from
    same_person: float = 0.55  # portraits that the teachers find as alike as this may show one person: no strangers
    hard_per_photo: int = 4
    frozen: int = 0  # blocks from the picture on that stay as they began: 7 of 14 halve a step's cost
    head_factor: float = 0.03  # of the learning rate, for heads: thousands of small weights, fitted well at the start
    ema_decay: float = 0.998
    seed: int = 7

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Student(nn.Module):
    """The tower with the pair loss's scale and bias: all that is trained."""

    def __init__(self, tower: DlibTower) -> None:
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        self.bias = nn.Parameter(torch.tensor(-5.0))


@dataclass(frozen=True)
class Pictures:
    """Chip sets one behind the other."""

    sets: tuple[NDArray[np.uint8], ...]

    def __len__(self) -> int:
        return sum(len(each) for each in self.sets)

    def draw(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 (N, 160, 160, 3) of rows, counted through all sets."""
        chips = np.empty((len(rows), *self.sets[0].shape[1:]), dtype=np.uint8)
        first = 0
        for each in self.sets:
            here = np.flatnonzero((rows >= first) & (rows < first + len(each)))
            chips[here] = each[rows[here] - first]
            first += len(each)
        return chips


class PretrainedLearner:
    """A batch: LFW's people first, then portraits group by group. `alike` counts its rows from `portraits_from` on."""

    def __init__(
        self,
        config: PretrainedConfig,
        tower: DlibTower,
        pictures: Pictures,
        teachers: Sequence[Teacher],
        people: PersonSampler,
        alike: AlikeSampler,
        portraits_from: int,
        validate: Validate,
        description: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        self.config, self._pictures, self._teachers = config, pictures, teachers
        self.network: nn.Module = Student(tower).to(device=device, memory_format=torch.channels_last)
        self._people, self._alike, self._portraits_from = people, alike, portraits_from
        self._validate, self._description, self._device = validate, dict(description), device

    def groups(self) -> list[dict[str, Any]]:
        fast = [parameter for name, parameter in self.network.named_parameters() if not name.startswith("tower.")]
        head = [parameter for name, parameter in self.network.named_parameters() if name.startswith(HEADS)]
        rest = [
            parameter
            for name, parameter in self.network.named_parameters()
            if name.startswith("tower.") and not name.startswith(HEADS)
        ]
        decay = self.config.weight_decay
        return [
            {"params": rest, "weight_decay": decay, "factor": 1.0},
            {"params": head, "weight_decay": decay, "factor": self.config.head_factor},
            {"params": fast, "weight_decay": 0.0, "factor": 30.0},
        ]

    def loss(self, rng: np.random.Generator, progress: float) -> tuple[Tensor, Mapping[str, float], int]:
        photos = self._people.draw(rng)
        portraits, group = self._alike.draw(rng)
        rows = np.concatenate([photos.rows, portraits + self._portraits_from])
        # Every portrait is a person of their own; LFW's people are one group, of all kinds.
        person = torch.from_numpy(np.concatenate([photos.person, self._people.people + np.arange(len(portraits))]))
        group_of = torch.from_numpy(np.concatenate([np.full(len(photos.rows), -1), group]))
        chips = torch.from_numpy(self._pictures.draw(rows)).to(self._device)
        views = degraded_views(chips.permute(0, 3, 1, 2))
        with mixed_precision(self._device):
            raw = self.network.tower(views.contiguous(memory_format=torch.channels_last), self.config.frozen)
        students = F.normalize(raw.float(), dim=1)
        teachers = torch.from_numpy(target(self._teachers, rows)).to(self._device)
        match = 1 - (students * teachers).sum(1).mean()
        relation = relation_loss(students, teachers, group_of.to(self._device))
        pair = self._pair_loss(students, teachers, person.to(self._device))
        total = self.config.match * match + self.config.relation * relation + self.config.pair * pair
        figures = {"match": float(match.detach()), "relation": float(relation.detach()), "pair": float(pair.detach())}
        return total, figures, len(rows)

    def _pair_loss(self, students: Tensor, teachers: Tensor, person: Tensor) -> Tensor:
        """A logistic of the cosine. The same: photos of one person, and a view with the clean one that teachers saw.
        Strangers: the hardest pairs of the batch, which are those who look alike, unless teachers think them one.
        """
        scale, bias = self.network.log_scale.exp(), self.network.bias
        logits = scale * (students @ students.t()) + bias
        own = scale * (students * teachers).sum(1) + bias
        same = person[:, None] == person[None, :]
        others = ~torch.eye(len(person), dtype=torch.bool, device=person.device)
        genuine = torch.cat([F.softplus(-logits[same & others]), F.softplus(-own)]).mean()
        strangers = ~same & (teachers @ teachers.t() < self.config.same_person)
        hardest = F.softplus(logits[strangers])
        count = min(len(hardest), self.config.hard_per_photo * len(person))
        return genuine + hardest.topk(count).values.mean()

    def validate(self, average: nn.Module) -> Mapping[str, float]:
        for teacher in self._teachers:
            teacher.keep()
        return self._validate(average.tower)

    def description(self) -> dict[str, Any]:
        return {"config": self.config.to_dict(), **self._description}


def relation_loss(students: Tensor, teachers: Tensor, group: Tensor) -> Tensor:
    """Mean squared difference of the two matrices of cosines (Park et al. 2019's relations), as much from pairs within
    a group as from all others. `group` int (N,), -1 for photos of no group."""
    difference = (students @ students.t() - teachers @ teachers.t()).square()
    off = ~torch.eye(len(group), dtype=torch.bool, device=group.device)
    alike = (group[:, None] == group[None, :]) & (group >= 0)[:, None] & off
    others = off & ~alike
    return (difference[alike].mean() if alike.any() else difference.new_zeros(())) + difference[others].mean()
