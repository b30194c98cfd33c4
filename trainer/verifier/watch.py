"""Figures on the half of the held-out people and portraits that may choose: to watch a run by, and to choose by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.verifier.chips import ChipSet
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.pairs import balanced_pairs
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.scoring import best_threshold
from trainer.verifier.split import Split
from trainer.verifier.strangers import alike_groups, all_cosines
from trainer.verifier.teachers import straight_answer

PAIRS = 300
WATCHED_PORTRAITS = 2500


class Watch:
    """Accuracy, and genuine pairs found at 1 % and 0.1 % of all strangers, at 1 % of strangers who look alike, and
    where 3 % of the worst group's pass."""

    def __init__(self, lfw: ChipSet, split: Split, portraits: PortraitSet, device: torch.device) -> None:
        by_person = lfw.rows_by_person(split.calibrate)
        people = sorted(by_person)
        rows = np.array([row for person in people for row in by_person[person]])
        self.photos = lfw.chips[rows]
        self._names = np.array([number for number, person in enumerate(people) for _ in by_person[person]])
        possible = sum(len(listed) * (len(listed) - 1) // 2 for listed in by_person.values())
        pairs = balanced_pairs(by_person, min(PAIRS, possible), 2007)
        place = {int(row): index for index, row in enumerate(rows)}
        self._first, self._second = ([place[int(row)] for row in part] for part in (pairs.first, pairs.second))
        self._same = pairs.same
        self._rows, self._faces = portraits.rows, portraits.of_part("calibrate")[:WATCHED_PORTRAITS]
        self.portraits = portraits.chips[self._faces]
        self._device = device

    def __call__(self, tower: DlibTower) -> Mapping[str, float]:
        answer = straight_answer(tower, self._device)
        return self.figures(answer(self.photos), answer(self.portraits))

    def figures(self, photos: NDArray[np.float32], portraits: NDArray[np.float32]) -> dict[str, float]:
        """Of embeddings (N, D) of unit length of `self.photos` and `self.portraits`."""
        similarity = np.einsum("nd,nd->n", photos[self._first], photos[self._second])
        genuine = similarity[self._same]
        everyone = all_cosines(photos, self._names)
        groups = [group.scores for group in alike_groups(portraits, self._rows, self._faces, fewest=1).values()]

        def found(threshold: Any) -> float:
            return float((genuine > threshold).mean())

        return {
            "accuracy": best_threshold(similarity, self._same)[1],
            "tar_at_far_1pct": found(np.quantile(everyone, 0.99)),
            "tar_at_far_0.1pct": found(np.quantile(everyone, 0.999)),
            "tar_at_far_1pct_alike": found(np.quantile(np.concatenate(groups), 0.99)),
            "tar_at_worst_group_3pct": found(max(np.quantile(scores, 0.97) for scores in groups)),
        }
