"""The shipped detector on pictures everyone has: what is found, where, in which order, and what is not found."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from services.common.inference.bundle import load_bundle, replay_golden
from services.detector import model as detector_model
from services.detector.engines import Engine, engines
from services.detector.model import FaceDetector
from services.detector.tiles import TILE_PX, tiles
from tests.device import DEVICE
from tests.photos import astronaut_rgb, coffee_rgb

BUNDLE = Path(detector_model.__file__).parent / "model"
FACE_CENTRE_XY = (225, 120)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    bundle = load_bundle(BUNDLE)
    return FaceDetector(bundle, threads=1, engine=next(engines(bundle, 1, device=DEVICE)))


def covers(box: NDArray[np.float32], x: float, y: float) -> bool:
    return bool(box[0] < x < box[2] and box[1] < y < box[3])


def test_one_person_is_one_face_with_landmarks_in_their_places(detector: FaceDetector) -> None:
    found = detector.detect(astronaut_rgb())
    assert len(found) == 1
    assert covers(found.boxes_xyxy[0], *FACE_CENTRE_XY)
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks_xy[0]
    assert all(covers(found.boxes_xyxy[0], x, y) for x, y in found.landmarks_xy[0])
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "brick", "page"])
def test_pictures_without_people_have_no_faces(detector: FaceDetector, name: str) -> None:
    picture = getattr(data, name)()
    rgb = np.stack([picture] * 3, axis=-1) if picture.ndim == 2 else picture
    assert len(detector.detect(np.ascontiguousarray(rgb))) == 0


def test_a_grey_photo_shows_the_same_face(detector: FaceDetector) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(astronaut_rgb(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    found = detector.detect(grey)
    assert len(found) == 1 and covers(found.boxes_xyxy[0], *FACE_CENTRE_XY)


@pytest.mark.parametrize("size_px", [160, 640, 2000])
def test_a_face_that_fills_the_frame_is_found(detector: FaceDetector, size_px: int) -> None:
    head = cv2.resize(astronaut_rgb()[50:195, 160:290], (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    found = detector.detect(head)
    assert len(found) >= 1
    x1, y1, x2, y2 = found.boxes_xyxy[0] / size_px
    assert (x2 - x1) * (y2 - y1) > 0.4


def test_a_face_of_20_px_is_found(detector: FaceDetector) -> None:
    small = cv2.resize(astronaut_rgb(), None, fx=0.18, fy=0.18, interpolation=cv2.INTER_AREA)
    photo = np.full((480, 640, 3), 130, np.uint8)
    photo[200 : 200 + small.shape[0], 300 : 300 + small.shape[1]] = small
    found = detector.detect(photo)
    x, y = 300 + FACE_CENTRE_XY[0] * 0.18, 200 + FACE_CENTRE_XY[1] * 0.18
    assert any(covers(box, x, y) for box in found.boxes_xyxy)


def test_small_faces_of_a_24_megapixel_photo_are_not_lost(detector: FaceDetector) -> None:
    photo = np.full((4000, 6000, 3), (90, 110, 100), np.uint8)
    centres = []
    for index in range(12):  # faces of about 100 px, 11 px once the photo is 640 px wide
        x, y = 300 + index % 6 * 900, 700 + index // 6 * 1800
        photo[y : y + 512, x : x + 512] = astronaut_rgb()
        centres.append((x + FACE_CENTRE_XY[0], y + FACE_CENTRE_XY[1]))
    found = detector.detect(photo)
    hits = sum(any(covers(box, *centre) for box in found.boxes_xyxy) for centre in centres)
    assert hits == len(centres)
    assert len(found) <= len(centres) + 1


def test_boxes_are_largest_first_inside_the_photo_and_repeatable(detector: FaceDetector) -> None:
    photo = np.concatenate([cv2.resize(astronaut_rgb(), (256, 256)), astronaut_rgb()[:256, :400]], axis=1)
    found = detector.detect(photo, min_confidence=0.05)
    areas = np.prod(found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2], axis=1)
    assert len(found) >= 2 and np.all(np.diff(areas) <= 0)
    assert found.boxes_xyxy.min() >= 0
    assert np.all(found.boxes_xyxy[:, 2:] <= [photo.shape[1], photo.shape[0]])
    again = detector.detect(photo, min_confidence=0.05)
    np.testing.assert_array_equal(found.boxes_xyxy, again.boxes_xyxy)


def test_limits_are_honoured_down_to_the_protocols(detector: FaceDetector) -> None:
    many = detector.detect(astronaut_rgb(), min_confidence=0.01, max_faces=1000)
    assert len(many) > len(detector.detect(astronaut_rgb()))
    assert many.confidence.min() >= 0.01
    few = detector.detect(astronaut_rgb(), min_confidence=0.01, max_faces=2)
    np.testing.assert_array_equal(few.boxes_xyxy, many.boxes_xyxy[:2])


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 700, 3), (700, 5, 3), (31, 33, 3)])
def test_odd_shapes_are_answered(detector: FaceDetector, shape: tuple[int, int, int]) -> None:
    assert len(detector.detect(np.zeros(shape, np.uint8))) == 0


def test_tiles_cover_everything_and_overlap() -> None:
    covered = np.zeros((1707, 2560), np.uint8)
    for tile in tiles(2560, 1707):
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert tile.right - tile.left <= TILE_PX and tile.bottom - tile.top <= TILE_PX
    assert covered.min() == 1 and covered.max() > 1
    assert len(list(tiles(1280, 960))) == 1


def test_what_is_not_a_photo_is_refused(detector: FaceDetector) -> None:
    for wrong in (np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3), np.float32), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(ValueError, match="uint8"):
            detector.detect(wrong)  # type: ignore[arg-type]


def test_golden_cases_replay(detector: FaceDetector) -> None:
    replay_golden(detector.bundle, detector.replay, detector.engine.slack)
    detector.warm_up()
    assert detector.label == detector.bundle.meta.label


def test_another_engine_can_run_the_graph(detector: FaceDetector) -> None:
    calls: list[tuple[int, ...]] = []

    def graph(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        calls.append(picture.shape)
        anchors = sum((picture.shape[0] // s) * (picture.shape[1] // s) for s in (8, 16, 32))
        scores = np.zeros((1, 1, anchors), np.float32)
        scores[0, 0, 0] = 0.9 if len(calls) == 1 else 0.0
        return scores, np.zeros((1, 64, anchors), np.float32), np.zeros((1, 15, anchors), np.float32)

    found = FaceDetector(detector.bundle, 1, engine=Engine("one box", graph)).detect(coffee_rgb())
    assert calls == [(448, 640, 3)]  # the photo's own shape in multiples of 32, not a square
    # Flat distributions over 0..15 mean 7.5 strides of 8 px around the first anchor; the photo's border cuts the rest.
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 60, 60]], atol=0.1)
