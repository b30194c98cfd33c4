"""LFW → chip set: our detector finds the face, serving's `align_face` cuts the chip, people are split and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from tqdm import tqdm

from services.common.inference.boxes import ARCFACE_TEMPLATE_XY, CHIP_MARGIN_PX, CHIP_SIZE_PX, align_face
from trainer.verifier.chips import CHIPS_FILE, INDEX_FILE, SPLIT_FILE, ChipRow, ChipSet, open_chips, write_index
from trainer.verifier.lfw import Photo, by_person, find_photos
from trainer.verifier.split import Split

FOUND_FILE = "landmarks.json"

# Where the five points of LFW-deepfunneled lie, in px from the photo's centre: funnelling put faces at one place and
# size. Read off the mean picture; used until a detector's own average takes its place (`--align fixed`).
FUNNELLED_SCALE = 0.84
FUNNELLED_CENTRE_IN_CHIP_XY = (80.0, 88.0)


class Found(Protocol):
    """What a detector answers: boxes (N, 4) and landmarks (N, 5, 2), in pixels of the photo."""

    @property
    def boxes_xyxy(self) -> NDArray[np.float32]: ...
    @property
    def landmarks_xy(self) -> NDArray[np.float32]: ...


Detect = Callable[[NDArray[np.uint8]], Found]
SplitPeople = Callable[[dict[str, int]], Split]


def prepare(lfw: Path, out: Path, detect: Detect | None, split_people: SplitPeople) -> ChipSet:
    """Writes the chip set, its split and `prepare.json` (counts) to `out`; an interrupted run continues.

    In LFW the person of a photo is the face nearest the centre, which is not always the largest. Photos without a
    detection are not dropped: their chip is cut by the average landmarks of the photos with one, and marked so.
    `detect` None cuts every chip by LFW-deepfunneled's fixed geometry.
    """
    photos = find_photos(lfw)
    split = split_people({person: len(listed) for person, listed in by_person(photos).items()})
    out.mkdir(parents=True, exist_ok=True)
    (out / INDEX_FILE).unlink(missing_ok=True)
    found = _find_landmarks(lfw, photos, out, detect) if detect else {}
    chips, rows = _cut_chips(lfw, photos, found, out / CHIPS_FILE)
    chips.flush()
    split.save(out / SPLIT_FILE)
    counts = Counter(row.alignment for row in rows)
    summary = {
        "photos": len(rows),
        "people": len({row.person for row in rows}),
        "alignment": dict(counts),
        "without_detection": [row.path for row in rows if row.alignment != "detector"] if detect else "not looked for",
        "split": {
            "name": split.name,
            "train": len(split.train),
            "calibrate": len(split.calibrate),
            "test": len(split.test),
        },
    }
    (out / "prepare.json").write_text(json.dumps(summary, indent=1) + "\n")
    write_index(out, rows)
    return open_chips(out)


def nearest_to_centre(found: Found, width_px: int, height_px: int) -> int | None:
    """Index of the face whose box centre is nearest the photo's; None without faces."""
    if not len(found.boxes_xyxy):
        return None
    centres = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
    return int(np.argmin(np.linalg.norm(centres - np.array([width_px, height_px]) / 2, axis=1)))


def _find_landmarks(
    lfw: Path, photos: Sequence[Photo], out: Path, detect: Detect
) -> dict[str, tuple[NDArray[np.float32], float]]:
    """Landmarks (5, 2) relative to the photo's centre and the face's shorter side, by path; kept while it runs."""
    cache = out / FOUND_FILE
    known: dict[str, list[float] | None] = json.loads(cache.read_text()) if cache.is_file() else {}
    missing = [photo for photo in photos if photo.path not in known]
    try:
        for photo in tqdm(missing, desc="detect", unit="photo", mininterval=5):
            image = _read_rgb(lfw / photo.path)
            height, width = image.shape[:2]
            found = detect(image)
            index = nearest_to_centre(found, width, height)
            if index is None:
                known[photo.path] = None
                continue
            box, points = found.boxes_xyxy[index], found.landmarks_xy[index] - np.array([width, height]) / 2
            known[photo.path] = [*(float(v) for v in points.ravel()), float(min(box[2] - box[0], box[3] - box[1]))]
    finally:
        part = out / f".{FOUND_FILE}.part"
        part.write_text(json.dumps(known))
        part.replace(cache)
    return {
        path: (np.array(values[:10], dtype=np.float32).reshape(5, 2), values[10])
        for path, values in known.items()
        if values is not None
    }


def _cut_chips(
    lfw: Path, photos: Sequence[Photo], found: dict[str, tuple[NDArray[np.float32], float]], path: Path
) -> tuple[np.memmap, list[ChipRow]]:
    if found:
        fallback = np.median([points for points, _ in found.values()], axis=0).astype(np.float32)
    else:
        in_chip = ARCFACE_TEMPLATE_XY + CHIP_MARGIN_PX - np.array(FUNNELLED_CENTRE_IN_CHIP_XY)
        fallback = (in_chip / FUNNELLED_SCALE).astype(np.float32)
    chips = open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(photos), CHIP_SIZE_PX, CHIP_SIZE_PX, 3))
    rows: list[ChipRow] = []
    for index, photo in enumerate(tqdm(photos, desc="align", unit="photo", mininterval=5)):
        image = _read_rgb(lfw / photo.path)
        centre = np.array([image.shape[1], image.shape[0]], dtype=np.float32) / 2
        points, size = found.get(photo.path, (fallback, 0.0))
        chips[index] = align_face(image, (points + centre).astype(np.float32))
        alignment = "detector" if photo.path in found else "average"
        rows.append(ChipRow(photo.person, photo.number, photo.path, alignment, size, _turn(points)))
    return chips, rows


def _turn(points: NDArray[np.float32]) -> float:
    eyes, nose = points[:2], points[2]
    across = eyes[1] - eyes[0]
    return float((nose - eyes.mean(axis=0)) @ across / max(float(across @ across), 1e-6))


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path.name} cannot be decoded")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)
