"""LFW as it is published: `Name/Name_0001.*` folders, and pairs in the official or the Kaggle CSV form."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".ppm", ".bmp"}


@dataclass(frozen=True, order=True, slots=True)
class Photo:
    """One photo: its person, its 1-based number, and its path relative to the LFW folder."""

    person: str
    number: int
    path: str


@dataclass(frozen=True, slots=True)
class NamedPair:
    """A line of a pairs file; `fold` counts from 0."""

    first: tuple[str, int]
    second: tuple[str, int]
    fold: int = 0

    @property
    def same(self) -> bool:
        return self.first[0] == self.second[0]


def find_photos(root: Path) -> list[Photo]:
    """Every photo below `root`, sorted by person and number. Raises FileNotFoundError when there is none.

    `root` is the folder of person folders, or one that holds it once (lfw, lfw-deepfunneled, ...).
    """
    folder = _people_folder(root)
    photos = []
    for path in folder.glob("*/*"):
        person, _, number = path.stem.rpartition("_")
        if path.suffix.lower() in PICTURE_SUFFIXES and person == path.parent.name and number.isdigit():
            photos.append(Photo(person, int(number), path.relative_to(root).as_posix()))
    if not photos:
        raise FileNotFoundError(f"{root} holds no LFW photos (looked for Name/Name_0001.jpg and the like)")
    return sorted(photos)


def _people_folder(root: Path) -> Path:
    for folder in [root, *sorted(path for path in root.glob("*") if path.is_dir())]:
        if any(folder.glob("*/*_[0-9][0-9][0-9][0-9].*")):
            return folder
        nested = folder / folder.name  # Kaggle's archive: lfw-deepfunneled/lfw-deepfunneled/Name
        if nested.is_dir() and any(nested.glob("*/*_[0-9][0-9][0-9][0-9].*")):
            return nested
    return root


def by_person(photos: Iterable[Photo]) -> dict[str, list[Photo]]:
    grouped: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        grouped[photo.person].append(photo)
    return dict(grouped)


def read_pairs(path: Path) -> list[NamedPair]:
    """Pairs of an official file (with or without its count line) or a Kaggle CSV. Raises ValueError, naming the line.

    The first line of `pairs.txt` says `folds  pairs per class and fold`; `pairsDevTrain.txt` says pairs alone, or
    nothing. Kaggle's `pairs.csv`, `matchpairs*.csv` and `mismatchpairs*.csv` start with column names.
    """
    is_csv = path.suffix.lower() == ".csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines)) if is_csv else [line.split() for line in lines]
    folds, per_class = 1, 0
    pairs: list[NamedPair] = []
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row if cell.strip()]
        if not cells or (is_csv and number == 1 and not any(cell.isdigit() for cell in cells)):
            continue
        if all(cell.isdigit() for cell in cells) and len(cells) <= 2 and not pairs:
            folds, per_class = (int(cells[0]), int(cells[1])) if len(cells) == 2 else (1, int(cells[0]))
            continue
        fold = len(pairs) // (2 * per_class) if folds > 1 and per_class else 0
        pairs.append(_parse_pair(cells, fold, f"{path.name}:{number}"))
    return pairs


def _parse_pair(cells: Sequence[str], fold: int, where: str) -> NamedPair:
    try:
        if len(cells) == 3:
            return NamedPair((cells[0], int(cells[1])), (cells[0], int(cells[2])), fold)
        if len(cells) == 4:
            return NamedPair((cells[0], int(cells[1])), (cells[2], int(cells[3])), fold)
    except ValueError:
        pass
    raise ValueError(f"{where}: expected `name n1 n2` or `name1 n1 name2 n2`, got {' '.join(cells)!r}")
