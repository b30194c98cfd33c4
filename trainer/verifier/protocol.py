"""Held-out people and portraits as pairs to score, in two halves: what is chosen on one is measured on the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.pairs import Pairs, balanced_pairs
from trainer.verifier.portraits import PortraitSet
from trainer.verifier.scoring import Labels, Scores
from trainer.verifier.split import Split
from trainer.verifier.strangers import FEWEST_PAIRS, Alike, Groups, alike_groups, all_cosines

PAIRS_PER_CLASS = 300  # a half; two halves make 1,200 balanced pairs
SEED = 2007


@dataclass(frozen=True)
class Scored:
    """Pairs of one half's people with their similarities. `impostors`: all pairs of photos of two of these people;
    `alike`: pairs of portraits by group, none where no portraits were given."""

    pairs: Pairs
    similarity: Scores
    impostors: Scores
    alike: Groups = field(default_factory=dict)

    @property
    def same(self) -> Labels:
        return self.pairs.same

    @property
    def genuine(self) -> Scores:
        return self.similarity[self.pairs.same]


@dataclass(frozen=True)
class Protocol:
    """What is scored: LFW's held-out people, and the portraits held out beside them."""

    data: ChipSet
    split: Split
    portraits: PortraitSet | None = None
    per_class: int = PAIRS_PER_CLASS
    fewest: int = FEWEST_PAIRS

    def score(self, embedder: Embedder) -> tuple[Scored, Scored]:
        """The half that may choose and the half that judges; they change places in cross-fitted figures."""
        calibrate, test = (self._half(embedder, part) for part in ("calibrate", "test"))
        return calibrate, test

    def _half(self, embedder: Embedder, part: str) -> Scored:
        by_person = self.data.rows_by_person(self.split.calibrate if part == "calibrate" else self.split.test)
        pairs = balanced_pairs(by_person, self.per_class, SEED)
        rows = np.array([row for person in sorted(by_person) for row in by_person[person]], dtype=np.int64)
        people = np.array([number for number, person in enumerate(sorted(by_person)) for _ in by_person[person]])
        vectors = embed_rows(self.data, embedder, rows)
        alike: Groups = {}
        if self.portraits is not None:
            faces = self.portraits.of_part(part)
            alike = alike_groups(embedder.embed(self.portraits.chips[faces]), self.portraits.rows, faces, self.fewest)
        return Scored(pairs, pairs.similarities(vectors), all_cosines(vectors[rows], people), alike)


def embed_rows(data: ChipSet, embedder: Embedder, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Embeddings (all rows, D): those of `rows` filled in, the others zero."""
    embedded = embedder.embed(data.chips[rows])
    vectors = np.zeros((len(data), embedded.shape[1]), dtype=np.float32)
    vectors[rows] = embedded
    return vectors


def joined(first: Scored, second: Scored) -> Scored:
    """Both halves as one, for what is shipped and for curves that choose nothing. No pair crosses the halves."""
    pairs = Pairs(
        np.concatenate([first.pairs.first, second.pairs.first]),
        np.concatenate([first.pairs.second, second.pairs.second]),
        np.concatenate([first.same, second.same]),
    )
    alike = {
        group: _joined_groups(first.alike[group], second.alike[group]) for group in first.alike if group in second.alike
    }
    return Scored(
        pairs,
        np.concatenate([first.similarity, second.similarity]),
        np.sort(np.concatenate([first.impostors, second.impostors])),
        alike,
    )


def _joined_groups(first: Alike, second: Alike) -> Alike:
    return Alike(
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.first, second.first + first.faces]),
        np.concatenate([first.second, second.second + first.faces]),
        first.faces + second.faces,
    )
