"""Which threshold ships, and what a user misses at it."""

from pathlib import Path

import numpy as np
import pytest

from services.detector.model import Detections
from trainer.detector.operating_point import Judged, choose_threshold, recall_by_height
from trainer.detector.widerface import PhotoAnnotation

BOXES_XYWH = np.array([[10, 10, 20, 20], [100, 10, 40, 40], [200, 10, 80, 100], [5, 200, 30, 30]], dtype=np.float32)
INVALID = np.array([False, False, False, True])


def judged(*rows: tuple[int | None, float]) -> Judged:
    """A photo of three valid faces and an invalid one; rows are (which box was found, confidence), None is no face."""
    away = np.array([600, 600, 50, 50], dtype=np.float32)
    xywh = np.array([away if box is None else BOXES_XYWH[box] for box, _ in rows]).reshape(-1, 4)
    xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    found = Detections(xyxy, np.array([c for _, c in rows], np.float32), np.zeros((len(rows), 5, 2), np.float32))
    annotation = PhotoAnnotation("photo", BOXES_XYWH, INVALID, np.zeros((4, 5, 2), np.float32))
    return Judged(Path("photo"), annotation, found, 1024)


def test_the_best_f1_is_chosen_when_it_raises_few_alarms() -> None:
    photo = judged((0, 0.9), (1, 0.8), (2, 0.6), (None, 0.5), (None, 0.4), (3, 0.3))
    assert choose_threshold([photo], np.zeros(100, np.float32)) == pytest.approx(0.6, abs=0.011)


def test_alarms_on_face_free_pictures_raise_the_threshold() -> None:
    photo = judged((0, 0.9), (1, 0.8), (2, 0.6))
    alarms = np.concatenate([np.zeros(95), np.full(5, 0.7)]).astype(np.float32)
    threshold = choose_threshold([photo], alarms)
    assert (alarms >= threshold).mean() <= 0.02
    assert threshold == pytest.approx(0.71, abs=0.011)


def test_misses_are_told_by_face_height() -> None:
    rows = {r.low_px: (r.faces, r.found) for r in recall_by_height([judged((1, 0.9), (2, 0.2))], threshold=0.5)}
    assert rows[16] == (1, 0)  # the 20 px face: not found
    assert rows[32] == (1, 1)  # the 40 px face
    assert rows[64] == (1, 0)  # the 100 px face: found below the threshold
    assert sum(faces for faces, _ in rows.values()) == 3  # the invalid one is not counted


def test_a_photo_without_detections_misses_everything() -> None:
    assert all(r.found == 0 for r in recall_by_height([judged()], threshold=0.5))
