"""The faces of a folder of people: a folder a person, photos in it, each face aligned as serving aligns it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.common.errors import FacekitError
from services.common.inference.boxes import align_face
from services.common.inference.bundle import load_bundle
from services.common.photos.imaging import decode
from services.common.settings import Settings
from services.detector.engines import engines
from services.detector.model import FaceDetector
from services.detector.stage import DetectorStage

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif"})
FEWEST_PEOPLE: Final = 20  # with two photos and more: the rates of fewer say nothing


class TooFewPeople(Exception):
    """The folder does not hold what a calibration needs; the message says what is missing."""


@dataclass(frozen=True)
class People:
    """Aligned faces uint8 (N, 160, 160, 3) RGB and the number of each one's person (N,)."""

    chips: NDArray[np.uint8]
    person: NDArray[np.int64]

    def half(self, which: int) -> People:
        """Every second person: what is chosen on one half is measured on the other."""
        mine = self.person % 2 == which
        return People(self.chips[mine], self.person[mine])


def open_people(folder: Path, settings: Settings) -> People:
    """The largest face of every photo. Photos without a face, and files that are no photos, are passed over.

    Raises TooFewPeople.
    """
    if not folder.is_dir():
        raise TooFewPeople(f"{folder} is no folder; it should hold a folder a person, with photos in each")
    bundle = load_bundle(DetectorStage.bundle_folders["detector"])
    engine = next(engines(bundle, settings.threads, settings.detector_engine, device=settings.device))
    detector = FaceDetector(bundle, settings.threads, engine=engine)
    chips: list[NDArray[np.uint8]] = []
    person: list[int] = []
    several = 0
    for number, photos in enumerate(_photos_by_person(folder)):
        found = [chip for photo in photos if (chip := _face(photo, detector, settings.max_pixels)) is not None]
        several += len(found) > 1
        chips += found
        person += [number] * len(found)
    if several < FEWEST_PEOPLE:
        raise TooFewPeople(
            f"{folder} shows {several} people with a face on two photos and more; {FEWEST_PEOPLE} are the least"
        )
    return People(np.stack(chips), np.array(person, dtype=np.int64))


def _photos_by_person(folder: Path) -> Iterator[list[Path]]:
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES)
        if photos:
            yield photos


def _face(photo: Path, detector: FaceDetector, max_pixels: int) -> NDArray[np.uint8] | None:
    try:
        found = detector.detect(image_rgb := decode(photo.read_bytes(), max_pixels), max_faces=1)
        return align_face(image_rgb, found.landmarks_xy[0]) if len(found) else None
    except (FacekitError, OSError, ValueError):
        return None
