"""People never cross a split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.verifier.lfw import NamedPair
from trainer.verifier.split import (
    PeopleCrossSplit,
    Split,
    held_out_split,
    load_split,
    refuse_shared_people,
    view1_split,
    view2_split,
)

COUNTS = {f"P{i}": 1 if i % 3 else 4 for i in range(300)}


def test_held_out_people_are_as_many_as_asked_and_seeded() -> None:
    split = held_out_split(COUNTS, 0.2, seed=7)
    assert len(split.held_out) == 60
    assert sorted((*split.train, *split.held_out)) == sorted(COUNTS)
    assert held_out_split(COUNTS, 0.2, seed=7) == split
    assert held_out_split(COUNTS, 0.2, seed=8) != split
    assert sum(COUNTS[person] > 1 for person in split.test) == sum(COUNTS[person] > 1 for person in split.calibrate)


def test_a_person_in_two_groups_is_refused() -> None:
    with pytest.raises(PeopleCrossSplit, match="Ann"):
        Split("mine", ("Ann", "Bob"), ("Cid",), ("Ann",))


def test_an_edited_split_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    held_out_split(COUNTS, 0.2, seed=7).save(path)
    assert load_split(path) == held_out_split(COUNTS, 0.2, seed=7)
    stored = json.loads(path.read_text())
    stored["train"].append(stored["test"][0])
    path.write_text(json.dumps(stored))
    with pytest.raises(PeopleCrossSplit):
        load_split(path)


def test_view_1_keeps_its_test_people_out_of_the_rest() -> None:
    pairs = [NamedPair(("P0", 1), ("P0", 2)), NamedPair(("P1", 1), ("P2", 1))]
    split = view1_split(COUNTS, pairs, 0.1, seed=7)
    assert split.test == ("P0", "P1", "P2")
    assert not set(split.test) & {*split.train, *split.calibrate}


def test_view_2_holds_out_one_fold_and_refuses_a_missing_one() -> None:
    pairs = [NamedPair(("P0", 1), ("P0", 2), 0), NamedPair(("P1", 1), ("P2", 1), 1)]
    assert view2_split(COUNTS, pairs, 1, 0.1, seed=7).test == ("P1", "P2")
    with pytest.raises(ValueError, match="no fold 5"):
        view2_split(COUNTS, pairs, 5, 0.1, seed=7)


def test_the_refusal_says_who() -> None:
    with pytest.raises(PeopleCrossSplit, match="1 people are in both a and b: Ann"):
        refuse_shared_people(["Ann", "Bob"], ["Ann"], "a and b")
