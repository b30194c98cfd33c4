"""Pairs by LFW's recipe."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.verifier.lfw import NamedPair
from trainer.verifier.pairs import balanced_pairs, impostor_pairs, named_pairs

ROWS = {f"P{i}": list(range(i * 5, i * 5 + (5 if i % 2 else 1))) for i in range(60)}
PERSON_OF = {row: person for person, rows in ROWS.items() for row in rows}


def test_balanced_different_and_truthful() -> None:
    pairs = balanced_pairs(ROWS, 100, seed=1)
    assert pairs.same.sum() == 100 and len(pairs) == 200
    keys = {tuple(sorted((int(a), int(b)))) for a, b in zip(pairs.first, pairs.second, strict=True)}
    assert len(keys) == 200
    for a, b, same in zip(pairs.first, pairs.second, pairs.same, strict=True):
        assert a != b
        assert (PERSON_OF[int(a)] == PERSON_OF[int(b)]) == same


def test_the_same_seed_draws_the_same_pairs() -> None:
    first, again, other = (balanced_pairs(ROWS, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.first, again.first) and np.array_equal(first.second, again.second)
    assert not np.array_equal(first.first, other.first)


def test_too_few_people_is_said_not_looped_over() -> None:
    with pytest.raises(ValueError, match="hold out more people"):
        balanced_pairs({"A": [0, 1], "B": [2]}, 5, seed=1)
    with pytest.raises(ValueError, match="impostor"):
        impostor_pairs({"A": [0, 1], "B": [2]}, 5, seed=1)


def test_pairs_of_a_file_without_photos_are_counted() -> None:
    pairs, missing = named_pairs(
        [NamedPair(("A", 1), ("A", 2)), NamedPair(("A", 1), ("Z", 1))], {("A", 1): 0, ("A", 2): 1}
    )
    assert (len(pairs), missing) == (1, 1)


def test_similarity_is_the_cosine_of_rows() -> None:
    pairs, _ = named_pairs([NamedPair(("A", 1), ("A", 2))], {("A", 1): 0, ("A", 2): 1})
    vectors = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert pairs.similarities(vectors) == pytest.approx([0.6])
