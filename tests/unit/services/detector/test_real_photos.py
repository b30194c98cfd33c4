"""The shipped detector on photos of the validation set, where they are: what no generated picture shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.inference.boxes import iou_matrix
from services.common.inference.bundle import load_bundle
from services.detector import model as detector_model
from services.detector.engines import engines
from services.detector.model import FaceDetector
from tests.device import DEVICE
from tests.shared import SHARED

WIDERFACE = SHARED / "data" / "widerface"
PHOTOS = WIDERFACE / "WIDER_val" / "images"
GROUP = "12--Group/12_Group_Team_Organized_Group_12_Group_Team_Organized_Group_12_244.webp"
COUPLE = "19--Couple/19_Couple_Couple_19_832.webp"
MIN_SIDE_PX = 40

pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"needs WIDER FACE's validation photos: {PHOTOS}")


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    bundle = load_bundle(Path(detector_model.__file__).parent / "model")
    return FaceDetector(bundle, threads=2, engine=next(engines(bundle, 2, device=DEVICE)))


def photo_and_faces(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The photo, and the annotated faces (N, 4) xyxy of at least MIN_SIDE_PX."""
    image = np.asarray(cv2.imread(str(PHOTOS / name), cv2.IMREAD_COLOR_RGB), dtype=np.uint8)
    lines = (WIDERFACE / "wider_face_split" / "wider_face_val_bbx_gt.txt").read_text().splitlines()
    at = lines.index(name)
    rows = [[float(value) for value in line.split()[:4]] for line in lines[at + 2 : at + 2 + int(lines[at + 1])]]
    boxes = np.array(rows, dtype=np.float32)
    boxes = boxes[boxes[:, 2:].min(axis=1) >= MIN_SIDE_PX]
    return image, np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


@pytest.mark.parametrize(("name", "faces"), [(GROUP, 3), (COUPLE, 2)])
def test_profiles_and_faces_lying_down_are_found(detector: FaceDetector, name: str, faces: int) -> None:
    """A woman seen from the side, a man looking down at his desk; a man lying, and a woman in profile beside him."""
    photo, annotated = photo_and_faces(name)
    assert len(annotated) == faces
    found = detector.detect(photo)
    assert iou_matrix(annotated, found.boxes_xyxy).max(axis=1).min() >= 0.5
    assert len(found) <= faces + 1


def filled_frame(which: int) -> NDArray[np.uint8]:
    """A face of the group, cut at its own box and enlarged."""
    photo, annotated = photo_and_faces(GROUP)
    x1, y1, x2, y2 = annotated[which].round().astype(int)
    face = cv2.resize(photo[y1:y2, x1:x2], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    return np.asarray(face, dtype=np.uint8)


@pytest.mark.parametrize("which", [0, 1, 2])  # the third is a profile
def test_a_real_face_that_fills_the_frame_is_found(detector: FaceDetector, which: int) -> None:
    face = filled_frame(which)
    found = detector.detect(face)
    assert len(found) >= 1
    box = found.boxes_xyxy[0] / np.tile([face.shape[1], face.shape[0]], 2)
    assert (box[2] - box[0]) * (box[3] - box[1]) > 0.4


def test_a_group_shown_in_grey_loses_nobody(detector: FaceDetector) -> None:
    photo, annotated = photo_and_faces(GROUP)
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    found = detector.detect(np.asarray(grey, dtype=np.uint8))
    assert iou_matrix(annotated, found.boxes_xyxy).max(axis=1).min() >= 0.5


def test_a_group_printed_at_24_megapixels_loses_nobody(detector: FaceDetector) -> None:
    photo, annotated = photo_and_faces(GROUP)
    scale = 6000 / photo.shape[1]
    large = cv2.resize(photo, (6000, round(photo.shape[0] * scale)), interpolation=cv2.INTER_LINEAR)
    found = detector.detect(np.asarray(large, dtype=np.uint8))
    assert iou_matrix(annotated * np.float32(scale), found.boxes_xyxy).max(axis=1).min() >= 0.5
