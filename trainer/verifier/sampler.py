"""Which photos enter a batch: two of each of several people, and people of whom there is only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of the chip set and class numbers, int64 (N,); photos of one person are neighbours."""

    rows: NDArray[np.int64]
    person: NDArray[np.int64]


class PersonSampler:
    """Draws batches without end. People are drawn by the square root of their photo count: drawn evenly, the photos
    of people with hundreds are hardly seen; drawn by photo, one person fills the batches."""

    def __init__(self, rows_by_person: Mapping[str, Sequence[int]], pairs: int, singles: int) -> None:
        people = sorted(rows_by_person)
        self._rows = [np.array(rows_by_person[person], dtype=np.int64) for person in people]
        self._several = np.array([i for i, rows in enumerate(self._rows) if len(rows) > 1], dtype=np.int64)
        self._single = np.array([i for i, rows in enumerate(self._rows) if len(rows) == 1], dtype=np.int64)
        if not len(self._several):
            raise ValueError("nobody in the training group has two photos: nothing to learn a person from")
        weights = np.sqrt([len(self._rows[i]) for i in self._several])
        self._weights = weights / weights.sum()
        self._pairs = min(pairs, len(self._several))
        self._singles = min(singles, len(self._single))
        self.people = len(people)
        self.photos = sum(len(rows) for rows in self._rows)

    @property
    def batch_size(self) -> int:
        return 2 * self._pairs + self._singles

    def draw(self, rng: np.random.Generator) -> Batch:
        rows: list[int] = []
        person: list[int] = []
        for i in rng.choice(self._several, self._pairs, replace=False, p=self._weights):
            rows.extend(rng.choice(self._rows[i], 2, replace=False))
            person.extend((i, i))
        for i in rng.choice(self._single, self._singles, replace=False) if self._singles else ():
            rows.append(self._rows[i][0])
            person.append(i)
        return Batch(np.array(rows, dtype=np.int64), np.array(person, dtype=np.int64))
