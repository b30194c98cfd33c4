"""A head's answers centred on the groups of people, and shortened along what tells the groups apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Weighing:
    """Answers (N, D) become `(answers - centre) @ by`: `centre` (D,), `by` (D, D) symmetric."""

    centre: NDArray[np.float64]
    by: NDArray[np.float64]

    def of(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        return ((answers - self.centre) @ self.by).astype(np.float32)

    def folded(self, state: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
        """The weights of a network whose linear layer `head` answers so by itself."""
        by, centre = torch.from_numpy(self.by), torch.from_numpy(self.centre)
        weight, bias = state[f"{head}.weight"].cpu().double(), state[f"{head}.bias"].cpu().double()
        return {
            **state,
            f"{head}.weight": (by @ weight).float(),
            f"{head}.bias": (by @ (bias - centre)).float(),
        }


def weighing(answers: NDArray[np.float32], groups: Sequence[str], share: float) -> Weighing:
    """Puts the mean of the groups' means at zero, and keeps `share` of what lies along the groups' differences.

    Strangers of one group share those directions: the longer they are, the more alike such strangers look, and the more
    differently groups are treated. `answers` (N, D) are a head's on portraits of `groups`, before unit length.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        if group:
            members[group].append(index)
    means = np.stack([answers[listed].mean(axis=0) for _, listed in sorted(members.items())]).astype(np.float64)
    centre = means.mean(axis=0)
    _, lengths, directions = np.linalg.svd(means - centre, full_matrices=False)
    directions = directions[lengths > 1e-6 * lengths[0]]
    return Weighing(centre, np.eye(len(centre)) - (1 - share) * directions.T @ directions)
