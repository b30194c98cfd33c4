"""Who is trained on, who calibrates, who judges. People never cross: every split is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trainer.verifier.lfw import NamedPair


class PeopleCrossSplit(ValueError):
    """A person is in two groups of a split, or a trained person is among those who judge."""


@dataclass(frozen=True, slots=True)
class Split:
    """Three groups of people, by name. `calibrate` chooses thresholds and probabilities, `test` is only measured on.

    Evaluation crosses the two held-out groups: what is chosen on one is measured on the other, and the reverse.
    """

    name: str
    train: tuple[str, ...]
    calibrate: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        groups = {"train": set(self.train), "calibrate": set(self.calibrate), "test": set(self.test)}
        for first, second in (("train", "calibrate"), ("train", "test"), ("calibrate", "test")):
            refuse_shared_people(groups[first], groups[second], f"{first} and {second} of split {self.name!r}")

    @property
    def held_out(self) -> tuple[str, ...]:
        return tuple(sorted((*self.calibrate, *self.test)))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load_split(path: Path) -> Split:
    """Raises PeopleCrossSplit when the file was edited so that people cross."""
    stored = json.loads(path.read_text())
    return Split(stored["name"], *(tuple(stored[group]) for group in ("train", "calibrate", "test")))


def refuse_shared_people(first: Collection[str], second: Collection[str], between: str) -> None:
    """Raises PeopleCrossSplit, naming some of the shared people."""
    shared = sorted(set(first) & set(second))
    if shared:
        raise PeopleCrossSplit(f"{len(shared)} people are in both {between}: {', '.join(shared[:3])}")


def held_out_split(photo_counts: Mapping[str, int], share: float, seed: int) -> Split:
    """Holds out `share` of the people, drawn by `seed`, half to calibrate and half to test.

    People with one photo and people with more are drawn apart, so that both halves can make their genuine pairs.
    """
    if not 0 < share < 1:
        raise ValueError(f"the held-out share must lie between 0 and 1, not {share}")
    rng = np.random.default_rng(seed)
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for several in (False, True):
        people = sorted(person for person, count in photo_counts.items() if (count > 1) == several)
        people = [people[i] for i in rng.permutation(len(people))]
        half = round(len(people) * share / 2)
        for group, members in zip(groups, (people[2 * half :], people[:half], people[half : 2 * half]), strict=True):
            group.extend(members)
    return Split("held-out", *(tuple(sorted(group)) for group in groups))


def view1_split(photo_counts: Mapping[str, int], test_pairs: Iterable[NamedPair], share: float, seed: int) -> Split:
    """LFW View 1: the people of `pairsDevTest` test; of the others, `share` calibrate and the rest train."""
    test = {name for pair in test_pairs for name in (pair.first[0], pair.second[0])}
    return _against(photo_counts, test, share, seed, "view1")


def view2_split(
    photo_counts: Mapping[str, int], pairs: Iterable[NamedPair], fold: int, share: float, seed: int
) -> Split:
    """LFW View 2, one fold: its people test, and neither train nor calibrate."""
    test = {name for pair in pairs if pair.fold == fold for name in (pair.first[0], pair.second[0])}
    if not test:
        raise ValueError(f"the pairs file has no fold {fold}")
    return _against(photo_counts, test, share, seed, f"view2-fold{fold}")


def _against(photo_counts: Mapping[str, int], test: set[str], share: float, seed: int, name: str) -> Split:
    others = {person: count for person, count in photo_counts.items() if person not in test}
    held_out = held_out_split(others, share, seed)
    return Split(name, held_out.train, held_out.held_out, tuple(sorted(test)))
