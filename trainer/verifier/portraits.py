"""Portraits: pictures of one person each, who has no name but a gender, an ethnicity and an age (FairFace, UTKFace).

Two views of one picture are the same person, two pictures of a group are strangers who look alike. A part of
FairFace, whose labels were checked by several people, is held out to measure false accepts by group.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_SIZE_PX
from trainer.attributes.labels import FAIRFACE_GENDERS, UTKFACE_GENDERS, age_bin, fairface_age_bin

CHIPS_FILE: Final = "portraits.npy"
INDEX_FILE: Final = "portraits.csv"
COLUMNS: Final = ("path", "source", "part", "gender", "ethnicity", "age_band", "aligned")
UTKFACE_RACES: Final = ("White", "Black", "Asian", "Indian", "")  # its fifth is "other": no group of people alike
# FairFace's ages and genders as its public table says them; a spreadsheet made dates of two of them in some copies.
SPREADSHEET_AGES: Final = {"03-Sep": "3-9", "3-Sep": "3-9", "Oct-19": "10-19"}


@dataclass(frozen=True, slots=True)
class Portrait:
    """`part` is train, calibrate or test; `age_band` an index in FAIRFACE_AGE_BINS; `path` is relative to its set.

    `aligned`: by landmarks that the detector found, not by where faces of this set usually lie.
    """

    path: str
    source: str
    part: str
    gender: str
    ethnicity: str
    age_band: int
    aligned: bool = False

    @property
    def group(self) -> str:
        """Such as `East Asian woman`; empty where the ethnicity is not known."""
        return f"{self.ethnicity} {self.gender}" if self.ethnicity else ""


@dataclass(frozen=True)
class PortraitSet:
    """`chips` uint8 (N, 160, 160, 3) RGB, memory-mapped; `rows` says who each shows."""

    folder: Path
    chips: NDArray[np.uint8]
    rows: tuple[Portrait, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def of_part(self, part: str) -> NDArray[np.int64]:
        """Row numbers of a part; of held-out parts only faces that the detector found, as serving knows no others."""
        chosen = [i for i, row in enumerate(self.rows) if row.part == part and (row.aligned or part == "train")]
        return np.array(chosen, dtype=np.int64)


def open_portraits(folder: Path) -> PortraitSet:
    """Opens what `prepare-portraits` wrote. Raises FileNotFoundError or ValueError when it is missing or unfinished."""
    if not (folder / INDEX_FILE).is_file():
        raise FileNotFoundError(f"{folder} holds no {INDEX_FILE}: run `prepare-portraits`")
    chips = np.load(folder / CHIPS_FILE, mmap_mode="r")
    with (folder / INDEX_FILE).open(encoding="utf-8", newline="") as lines:
        rows = tuple(
            Portrait(
                row["path"],
                row["source"],
                row["part"],
                row["gender"],
                row["ethnicity"],
                int(row["age_band"]),
                row["aligned"] == "1",
            )
            for row in csv.DictReader(lines)
        )
    if chips.shape != (len(rows), CHIP_SIZE_PX, CHIP_SIZE_PX, 3):
        raise ValueError(f"{folder}: {CHIPS_FILE} is {chips.shape}, {INDEX_FILE} has {len(rows)} rows")
    return PortraitSet(folder, chips, rows)


def write_portraits(
    out: Path, rows: Sequence[Portrait], cut: Callable[[Sequence[Portrait]], Iterable[tuple[NDArray[np.uint8], bool]]]
) -> PortraitSet:
    """Fills the chips with what `cut` makes of the rows, in order; the index is written last."""
    out.mkdir(parents=True, exist_ok=True)
    (out / INDEX_FILE).unlink(missing_ok=True)
    chips = np.lib.format.open_memmap(
        out / CHIPS_FILE, mode="w+", dtype=np.uint8, shape=(len(rows), CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    )
    done = []
    for index, (chip, aligned) in enumerate(cut(rows)):
        chips[index] = chip
        done.append(replace(rows[index], aligned=aligned))
    chips.flush()
    part = out / f".{INDEX_FILE}.part"
    with part.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(COLUMNS)
        table.writerows(
            (row.path, row.source, row.part, row.gender, row.ethnicity, row.age_band, int(row.aligned)) for row in done
        )
    part.replace(out / INDEX_FILE)
    return open_portraits(out)


def read_fairface(folder: Path) -> list[Portrait]:
    """Faces of `fairface_label_train.csv` (file, age, gender, race) whose picture is there, whatever its ending; all
    to train on. Raises FileNotFoundError without the table."""
    table = folder / "fairface_label_train.csv"
    there = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("train/*")}
    found = []
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            path = there.get(Path(row["file"]).with_suffix("").as_posix())
            if path is not None:
                age = fairface_age_bin(SPREADSHEET_AGES.get(row["age"], row["age"]))
                gender = FAIRFACE_GENDERS[row["gender"]]
                relative = path.relative_to(folder).as_posix()
                found.append(Portrait(relative, "fairface", "train", gender, row["race"].replace("_", " "), age))
    return sorted(found, key=lambda row: row.path)


def read_utkface(folder: Path, excluded: Collection[str]) -> list[Portrait]:
    """Faces named `AGE_GENDER_RACE_DATETIME.*`, but for the names in `excluded` (with or without endings)."""
    never = {_stem(name) for name in excluded}
    found = []
    for path in sorted(folder.iterdir()):
        parts = path.name.split("_")
        if len(parts) != 4 or not all(part.isdigit() for part in parts[:3]) or _stem(path.name) in never:
            continue
        age, gender, race = (int(part) for part in parts[:3])
        if gender < len(UTKFACE_GENDERS) and race < len(UTKFACE_RACES):
            row = Portrait(path.name, "utkface", "train", UTKFACE_GENDERS[gender], UTKFACE_RACES[race], age_bin(age))
            found.append(row)
    return found


def hold_out(rows: Sequence[Portrait], count: int, seed: int) -> list[Portrait]:
    """`count` FairFace faces leave training, as many of each group, at most half of one: calibrate and test in turn."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.source == "fairface":
            groups[row.group].append(index)
    parted = list(rows)
    for group in sorted(groups):
        share = min(count // len(groups), len(groups[group]) // 2)
        for turn, chosen in enumerate(rng.permutation(groups[group])[:share]):
            parted[chosen] = replace(rows[chosen], part=("calibrate", "test")[turn % 2])
    return parted


def _stem(name: str) -> str:
    return name.partition(".")[0]
