"""Figures to watch a `pretrained` run by, on the half of the held-out people and portraits that may choose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from trainer.verifier.chips import ChipSet
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.pairs import balanced_pairs
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.pretrained_learner import Validate
from trainer.verifier.scoring import best_threshold
from trainer.verifier.split import Split
from trainer.verifier.strangers import alike_groups, all_cosines
from trainer.verifier.teachers import straight_answer

PAIRS = 300
WATCHED_PORTRAITS = 2500


def watch(lfw: ChipSet, split: Split, portraits: PortraitSet, device: torch.device) -> Validate:
    """Accuracy, genuine pairs found at 0.1 % of all strangers, and at 1 % of strangers who look alike."""
    by_person = lfw.rows_by_person(split.calibrate)
    rows = np.array([row for person in sorted(by_person) for row in by_person[person]])
    names = np.array([number for number, person in enumerate(sorted(by_person)) for _ in by_person[person]])
    place = {int(row): index for index, row in enumerate(rows)}
    possible = sum(len(listed) * (len(listed) - 1) // 2 for listed in by_person.values())
    pairs = balanced_pairs(by_person, min(PAIRS, possible), 2007)
    first, second = (np.array([place[int(row)] for row in part]) for part in (pairs.first, pairs.second))
    faces = portraits.of_part("calibrate")[:WATCHED_PORTRAITS]

    def validate(tower: DlibTower) -> Mapping[str, float]:
        answer = straight_answer(tower, device)
        vectors, others = answer(lfw.chips[rows]), answer(portraits.chips[faces])
        similarity = np.einsum("nd,nd->n", vectors[first], vectors[second])
        genuine = similarity[pairs.same]
        everyone = all_cosines(vectors, names)
        groups = alike_groups(others, portraits.rows, faces, fewest=1)
        alike = np.concatenate([group.scores for group in groups.values()])
        return {
            "accuracy": best_threshold(similarity, pairs.same)[1],
            "tar_at_far_0.1pct": float((genuine > np.quantile(everyone, 0.999)).mean()),
            "tar_at_far_1pct_alike": float((genuine > np.quantile(alike, 0.99)).mean()),
        }

    return validate
