"""Random views must move pixels, boxes and landmarks together."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from trainer.detector.sample import MAX_FACES, Sample, keep_visible, mirror, mosaic, random_view, recolour


def sample_with_marks() -> Sample:
    """A dark 200x300 photo with a bright 40x40 face whose five landmarks are single coloured dots of 3x3."""
    image = np.zeros((200, 300, 3), dtype=np.uint8)
    image[80:120, 100:140] = 120
    points = np.array([[110, 90], [130, 90], [120, 100], [112, 112], [128, 112]], dtype=np.float32)
    for index, (x, y) in enumerate(points.astype(int)):
        image[y - 1 : y + 2, x - 1 : x + 2] = (250, 40 * index, 0)
    landmarks = np.concatenate([points, np.ones((5, 1), np.float32)], axis=1)[None]
    box = np.array([[100, 80, 140, 120]], dtype=np.float32)
    return Sample(image, box, landmarks, np.zeros((0, 4), np.float32))


def test_mirroring_swaps_left_and_right() -> None:
    mirrored = mirror(sample_with_marks())
    assert mirrored.boxes_xyxy.tolist() == [[160, 80, 200, 120]]
    left_eye, right_eye, nose, left_mouth, right_mouth = mirrored.landmarks[0, :, 0]
    assert left_eye == 170 and right_eye == 190 and nose == 180
    assert left_mouth < right_mouth


def test_mirroring_twice_changes_nothing() -> None:
    sample = sample_with_marks()
    twice = mirror(mirror(sample))
    np.testing.assert_array_equal(twice.image, sample.image)
    np.testing.assert_allclose(twice.landmarks, sample.landmarks)


def test_views_keep_boxes_and_landmarks_on_the_face() -> None:
    sample = sample_with_marks()
    seen = 0
    for seed in range(40):
        view = random_view(sample, (160, 160), (0.8, 1.8), np.random.default_rng(seed))
        for box, points in zip(view.boxes_xyxy, view.landmarks, strict=True):
            x1, y1, x2, y2 = box.round().astype(int)
            assert view.image[(y1 + y2) // 2, (x1 + x2) // 2].max() > 60
            for x, y, visible in points:
                if visible and 2 < x < 157 and 2 < y < 157:
                    assert view.image[int(y), int(x), 0] > 180
                    seen += 1
    assert seen > 60


def test_cut_and_tiny_faces_are_ignored_not_unlearned() -> None:
    boxes = np.array([[-30, 10, 10, 50], [20, 20, 22, 40], [50, 50, 90, 90]], dtype=np.float32)
    kept = keep_visible(
        Sample(np.zeros((100, 100, 3), np.uint8), boxes, np.zeros((3, 5, 3), np.float32), np.zeros((0, 4), np.float32))
    )
    assert kept.boxes_xyxy.tolist() == [[50, 50, 90, 90]]
    assert sorted(kept.ignore_xyxy.tolist()) == [[0, 10, 10, 50], [20, 20, 22, 40]]


def test_a_crowd_is_capped_to_its_largest_faces() -> None:
    sides = np.linspace(5, 30, MAX_FACES + 20, dtype=np.float32)
    boxes = np.stack([np.zeros_like(sides), np.zeros_like(sides), sides, sides], axis=1)
    landmarks = np.zeros((len(boxes), 5, 3), np.float32)
    kept = keep_visible(Sample(np.zeros((64, 64, 3), np.uint8), boxes, landmarks, np.zeros((0, 4), np.float32)))
    assert len(kept.boxes_xyxy) == MAX_FACES
    assert kept.boxes_xyxy.min(axis=0)[2] == sides[20]
    assert len(kept.ignore_xyxy) == 20


def test_a_mosaic_puts_each_view_in_its_quarter() -> None:
    joined = mosaic([sample_with_marks()] * 4)
    assert joined.image.shape == (400, 600, 3)
    assert joined.boxes_xyxy[:, :2].tolist() == [[100, 80], [400, 80], [100, 280], [400, 280]]
    assert joined.landmarks[3, 0].tolist() == [410, 290, 1]


def test_recolouring_keeps_shape_and_type() -> None:
    image = sample_with_marks().image
    for seed in range(20):
        out = recolour(image, np.random.default_rng(seed))
        assert out.shape == image.shape and out.dtype == np.uint8
