"""The chip set: every photo's aligned face chip, in one memory-mapped array beside a table of where it came from."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_SIZE_PX

CHIPS_FILE = "chips.npy"
INDEX_FILE = "chips.csv"
SPLIT_FILE = "split.json"
INDEX_COLUMNS = ("person", "number", "path", "alignment", "face_size_px", "turn")


@dataclass(frozen=True, slots=True)
class ChipRow:
    """Where chip `i` came from. `alignment` is `detector`, or `average` where no face was found or looked for.

    `turn` is the nose's offset from between the eyes in eye distances: 0 frontal, about 0.3 and more half profile.
    """

    person: str
    number: int
    path: str
    alignment: str
    face_size_px: float
    turn: float


@dataclass(frozen=True)
class ChipSet:
    """`chips` uint8 (N, 160, 160, 3) RGB, memory-mapped; `rows` says what each is."""

    folder: Path
    chips: NDArray[np.uint8]
    rows: tuple[ChipRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def rows_by_person(self, people: Collection[str] | None = None) -> dict[str, list[int]]:
        """Row numbers of each person's photos; of `people` only, where given."""
        wanted = None if people is None else set(people)
        grouped: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows):
            if wanted is None or row.person in wanted:
                grouped[row.person].append(index)
        return dict(grouped)

    def row_of(self) -> dict[tuple[str, int], int]:
        return {(row.person, row.number): index for index, row in enumerate(self.rows)}


def open_chips(folder: Path) -> ChipSet:
    """Opens what `prepare` wrote. Raises FileNotFoundError or ValueError when it is missing or unfinished."""
    if not (folder / INDEX_FILE).is_file():
        raise FileNotFoundError(f"{folder} holds no {INDEX_FILE}: run `prepare` (again, if it was interrupted)")
    chips = np.load(folder / CHIPS_FILE, mmap_mode="r")
    with (folder / INDEX_FILE).open(encoding="utf-8", newline="") as lines:
        rows = tuple(
            ChipRow(
                row["person"],
                int(row["number"]),
                row["path"],
                row["alignment"],
                float(row["face_size_px"]),
                float(row["turn"]),
            )
            for row in csv.DictReader(lines)
        )
    if chips.shape != (len(rows), CHIP_SIZE_PX, CHIP_SIZE_PX, 3):
        raise ValueError(f"{folder}: {CHIPS_FILE} is {chips.shape}, {INDEX_FILE} has {len(rows)} rows")
    return ChipSet(folder, chips, rows)


def write_index(folder: Path, rows: Collection[ChipRow]) -> None:
    """Written last: a chip set with an index is a finished one."""
    part = folder / f".{INDEX_FILE}.part"
    with part.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(INDEX_COLUMNS)
        for row in rows:
            table.writerow(
                [row.person, row.number, row.path, row.alignment, f"{row.face_size_px:.1f}", f"{row.turn:.3f}"]
            )
    part.replace(folder / INDEX_FILE)
