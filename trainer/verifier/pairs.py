"""Pairs to verify: LFW's own recipe, and pairs files turned into rows of a chip set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.lfw import NamedPair


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of a chip set, compared two by two: `first` and `second` int64 (N,), `same` bool (N,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.same)

    def similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines (N,) of unit-length embeddings (rows, D)."""
        return np.asarray(np.einsum("nd,nd->n", embeddings[self.first], embeddings[self.second]), dtype=np.float32)


def balanced_pairs(rows_by_person: Mapping[str, Sequence[int]], per_class: int, seed: int) -> Pairs:
    """`per_class` genuine and as many impostor pairs, all different, after LFW's technical report (Huang et al. 2007).

    Genuine: a person with several photos, drawn evenly, then two photos. Impostor: two people, drawn evenly, then a
    photo of each. A pair drawn before is drawn again. Raises ValueError when the people cannot make so many.
    """
    rng = np.random.default_rng(seed)
    several = [person for person in sorted(rows_by_person) if len(rows_by_person[person]) > 1]
    possible = sum(len(rows_by_person[person]) * (len(rows_by_person[person]) - 1) // 2 for person in several)
    if possible < per_class:
        raise ValueError(f"these people make {possible} genuine pairs, not {per_class}: hold out more people")
    genuine: dict[tuple[int, int], None] = {}
    while len(genuine) < per_class:
        person = several[rng.integers(len(several))]
        a, b = rng.choice(len(rows_by_person[person]), 2, replace=False)
        genuine[_ordered(rows_by_person[person][a], rows_by_person[person][b])] = None
    impostors = impostor_pairs(rows_by_person, per_class, seed + 1)
    first, second = zip(*genuine, strict=True)
    return Pairs(
        np.concatenate([np.array(first, dtype=np.int64), impostors.first]),
        np.concatenate([np.array(second, dtype=np.int64), impostors.second]),
        np.repeat([True, False], per_class),
    )


def impostor_pairs(rows_by_person: Mapping[str, Sequence[int]], count: int, seed: int) -> Pairs:
    """`count` different pairs of different people: people drawn evenly, then a photo of each."""
    rng = np.random.default_rng(seed)
    people = sorted(rows_by_person)
    sizes = np.array([len(rows_by_person[person]) for person in people])
    possible = (int(sizes.sum()) ** 2 - int((sizes**2).sum())) // 2
    if possible < count:
        raise ValueError(f"these people make {possible} impostor pairs, not {count}")
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < count:
        a, b = rng.choice(len(people), 2, replace=False)
        row_a = rows_by_person[people[a]][rng.integers(sizes[a])]
        row_b = rows_by_person[people[b]][rng.integers(sizes[b])]
        drawn[_ordered(row_a, row_b)] = None
    first, second = zip(*drawn, strict=True)
    return Pairs(np.array(first, dtype=np.int64), np.array(second, dtype=np.int64), np.zeros(count, dtype=np.bool_))


def named_pairs(pairs: Iterable[NamedPair], row_of: Mapping[tuple[str, int], int]) -> tuple[Pairs, int]:
    """Pairs of a pairs file whose photos are in the chip set, and how many were left out because one is not."""
    listed = list(pairs)
    kept = [pair for pair in listed if pair.first in row_of and pair.second in row_of]
    found = Pairs(
        np.array([row_of[pair.first] for pair in kept], dtype=np.int64),
        np.array([row_of[pair.second] for pair in kept], dtype=np.int64),
        np.array([pair.same for pair in kept], dtype=np.bool_),
    )
    return found, len(listed) - len(kept)


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (int(a), int(b)) if a < b else (int(b), int(a))
