"""Strangers who look alike: a few pictures of one gender, ethnicity and age band, drawn group by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.portraits import Portrait


class AlikeSampler:
    """Every group of gender and ethnicity is as likely, however many pictures it has; within one, an age band is as
    likely as its pictures are many. Raises ValueError without a group of that many pictures."""

    def __init__(self, portraits: Sequence[Portrait], rows: NDArray[np.int64], groups: int, each: int) -> None:
        bands: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if portraits[row].group:
                bands[portraits[row].group][portraits[row].age_band].append(int(row))
        self._groups: list[list[NDArray[np.int64]]] = []
        for group in sorted(bands):
            large = [np.array(listed, dtype=np.int64) for _, listed in sorted(bands[group].items())]
            large = [listed for listed in large if len(listed) >= each]
            if large:
                self._groups.append(large)
        if not self._groups:
            raise ValueError(f"no group of portraits has {each} pictures of one age band")
        self._count, self._each = groups, each

    @property
    def batch_size(self) -> int:
        return self._count * self._each

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and the number of each row's group in this batch, int64 (groups * each,)."""
        rows = []
        for chosen in rng.choice(len(self._groups), self._count, replace=self._count > len(self._groups)):
            bands = self._groups[chosen]
            sizes = np.array([len(band) for band in bands], dtype=float)
            band = bands[rng.choice(len(bands), p=sizes / sizes.sum())]
            rows.append(rng.choice(band, self._each, replace=False))
        return np.concatenate(rows), np.repeat(np.arange(self._count), self._each)
