"""Strangers who look alike: held-out portraits of one gender, ethnicity and age band, compared with one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.portraits import Portrait
from trainer.verifier.scoring import Scores

RESAMPLED: Final = 200
FEWEST_PAIRS: Final = 1000  # a group with fewer is counted but not judged


@dataclass(frozen=True)
class Alike:
    """Cosines of a group's pairs (K,), and which two of its `faces` each pair shows."""

    scores: Scores
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    faces: int

    def false_accepts(self, threshold: float) -> float:
        """Share of the pairs accepted at `threshold`."""
        return float((self.scores >= threshold).mean())

    def interval(self, threshold: float, seed: int = 7) -> tuple[float, float]:
        """95 % of the share of pairs accepted, were other faces of the group drawn: bootstrap over faces, since pairs
        that share a face are not independent."""
        rng, accepted, shares = np.random.default_rng(seed), self.scores >= threshold, []
        for _ in range(RESAMPLED):
            times = rng.multinomial(self.faces, np.full(self.faces, 1 / self.faces))
            weight = times[self.first] * times[self.second]
            shares.append(float(weight[accepted].sum() / max(weight.sum(), 1)))
        low, high = np.quantile(shares, [0.025, 0.975])
        return float(low), float(high)


Groups = Mapping[str, Alike]


def alike_groups(
    vectors: NDArray[np.float32], portraits: Sequence[Portrait], rows: NDArray[np.int64], fewest: int = FEWEST_PAIRS
) -> Groups:
    """All pairs of portraits `rows` of one group whose age band is the same; by group, those with `fewest` pairs and
    more.

    `vectors` (rows, D) are of unit length. Age bands are FairFace's: ten years each from 10 on.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if portraits[row].group:
            members[portraits[row].group].append(index)
    groups = {}
    for group, listed in sorted(members.items()):
        bands = np.array([portraits[rows[index]].age_band for index in listed])
        first, second = np.triu_indices(len(listed), 1)
        same_band = bands[first] == bands[second]
        first, second = first[same_band], second[same_band]
        if len(first) >= fewest:
            cosines = vectors[listed] @ vectors[listed].T
            groups[group] = Alike(cosines[first, second].astype(np.float32), first, second, len(listed))
    return groups


def mean_false_accepts(groups: Groups, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,): the mean over groups of the share of pairs accepted at each threshold; every group counts the same."""
    return np.asarray(_by_group(groups, thresholds).mean(axis=0))


def worst_false_accepts(groups: Groups, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,): the share of the group in which most are accepted."""
    return np.asarray(_by_group(groups, thresholds).max(axis=0))


def _by_group(groups: Groups, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = [1 - np.searchsorted(np.sort(each.scores), thresholds) / len(each.scores) for each in groups.values()]
    return np.array(shares)


def all_cosines(vectors: NDArray[np.float32], people: NDArray[np.int64]) -> Scores:
    """Sorted cosines of all pairs of rows of different `people` (N,)."""
    first, second = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[first, second]
    return np.sort(cosines[people[first] != people[second]]).astype(np.float32)
