"""FairFace and UTKFace in their public layouts, as one list of pictures with the labels that each set has."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from trainer.attributes.labels import (
    ETHNICITIES,
    FAIRFACE_ETHNICITIES,
    FAIRFACE_GENDERS,
    GENDERS,
    UNKNOWN,
    UTKFACE_ETHNICITIES,
    UTKFACE_GENDERS,
    fairface_age_bin,
)


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One face. FairFace knows the age's bin, UTKFace the year; what a set does not know is UNKNOWN."""

    file: Path
    source: str
    age_years: int
    age_bin: int
    gender: int
    ethnicity: int


def read_fairface(folder: Path) -> list[LabelledPicture]:
    """`fairface_label_*.csv` (file, age, gender, race) beside the pictures it names. A picture of the table that is
    not there is looked for with any ending (the public set has .jpg); else FileNotFoundError."""
    tables = sorted(folder.glob("fairface_label_*.csv"))
    if not tables:
        raise FileNotFoundError(f"no fairface_label_*.csv in {folder}")
    pictures = []
    for table in tables:
        with table.open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                pictures.append(
                    LabelledPicture(
                        file=_existing(folder / row["file"]),
                        source="fairface",
                        age_years=UNKNOWN,
                        age_bin=fairface_age_bin(row["age"]),
                        gender=GENDERS.index(FAIRFACE_GENDERS[row["gender"]]),
                        ethnicity=ETHNICITIES.index(FAIRFACE_ETHNICITIES[row["race"]]),
                    )
                )
    return pictures


def _existing(file: Path) -> Path:
    if file.is_file():
        return file
    for other in file.parent.glob(f"{file.stem}.*"):
        return other
    raise FileNotFoundError(file)


def read_utkface(folder: Path) -> list[LabelledPicture]:
    """`AGE_GENDER_RACE_DATETIME.*` in one folder. Files whose names lack a part (the public set has three) are left
    out, and so are ages above 100. Raises FileNotFoundError when nothing is left."""
    pictures = []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        parts = file.name.split("_")
        if len(parts) != 4 or not all(part.isdigit() for part in parts[:3]):
            continue
        age, gender, race = (int(part) for part in parts[:3])
        if age > 100 or gender >= len(UTKFACE_GENDERS) or race >= len(UTKFACE_ETHNICITIES):
            continue
        ethnicity = UTKFACE_ETHNICITIES[race]
        pictures.append(
            LabelledPicture(
                file=file,
                source="utkface",
                age_years=age,
                age_bin=UNKNOWN,
                gender=GENDERS.index(UTKFACE_GENDERS[gender]),
                ethnicity=UNKNOWN if ethnicity is None else ETHNICITIES.index(ethnicity),
            )
        )
    if not pictures:
        raise FileNotFoundError(f"no AGE_GENDER_RACE_DATETIME pictures in {folder}")
    return pictures
