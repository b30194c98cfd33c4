"""Held-out people as pairs to score, in two groups: what is chosen on one is measured on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.pairs import Pairs, balanced_pairs, impostor_pairs
from trainer.verifier.scoring import Labels, Scores
from trainer.verifier.split import Split

PAIRS_PER_CLASS = 300  # a group; two groups make 1,200 balanced pairs
IMPOSTORS = 25_000  # a group: a false-accept rate of 0.1 % needs thousands
SEED = 2007


@dataclass(frozen=True)
class Scored:
    """Pairs of one group of people with their similarities. `impostors` are many more, for low false-accept rates."""

    pairs: Pairs
    similarity: Scores
    impostors: Scores

    @property
    def same(self) -> Labels:
        return self.pairs.same

    @property
    def genuine(self) -> Scores:
        return self.similarity[self.pairs.same]


def group_pairs(
    data: ChipSet, people: tuple[str, ...], per_class: int = PAIRS_PER_CLASS, impostors: int = IMPOSTORS
) -> tuple[Pairs, Pairs]:
    """Balanced pairs and further impostor pairs of these people; the same ones at every call."""
    rows = data.rows_by_person(people)
    return balanced_pairs(rows, per_class, SEED), impostor_pairs(rows, impostors, SEED)


def score(data: ChipSet, embedder: Embedder, groups: list[tuple[Pairs, Pairs]]) -> list[Scored]:
    """Embeds every photo that a pair names once, and scores the pairs."""
    every = [rows for pairs in groups for part in pairs for rows in (part.first, part.second)]
    vectors = embed_rows(data, embedder, np.unique(np.concatenate(every)))
    return [Scored(pairs, pairs.similarities(vectors), many.similarities(vectors)) for pairs, many in groups]


def embed_rows(data: ChipSet, embedder: Embedder, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Embeddings (all rows, D): those of `rows` filled in, the others zero."""
    embedded = embedder.embed(data.chips[rows])
    vectors = np.zeros((len(data), embedded.shape[1]), dtype=np.float32)
    vectors[rows] = embedded
    return vectors


def held_out_scores(
    data: ChipSet, split: Split, embedder: Embedder, per_class: int = PAIRS_PER_CLASS, impostors: int = IMPOSTORS
) -> tuple[Scored, Scored]:
    """The two held-out groups of a split, scored."""
    first, second = score(
        data,
        embedder,
        [group_pairs(data, people, per_class, impostors) for people in (split.calibrate, split.test)],
    )
    return first, second


def joined(first: Scored, second: Scored) -> Scored:
    """Both groups as one, for what is shipped and for curves that choose nothing."""
    pairs = Pairs(
        np.concatenate([first.pairs.first, second.pairs.first]),
        np.concatenate([first.pairs.second, second.pairs.second]),
        np.concatenate([first.same, second.same]),
    )
    return Scored(
        pairs,
        np.concatenate([first.similarity, second.similarity]),
        np.concatenate([first.impostors, second.impostors]),
    )
