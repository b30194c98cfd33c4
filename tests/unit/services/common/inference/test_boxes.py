"""Alignment puts landmarks where the template says, whatever the face's size, angle or place."""

import cv2
import numpy as np
import pytest

from services.common.inference.boxes import (
    ARCFACE_TEMPLATE_XY,
    CHIP_MARGIN_PX,
    CHIP_SIZE_PX,
    align_face,
    clip_boxes,
    crop_with_margin,
    iou_matrix,
    landmarks_from_box,
    similarity_transform,
)

DOT_COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


def drawn_face(scale: float, angle_deg: float, centre: tuple[float, float], size: tuple[int, int]):
    """A grey picture with five coloured dots at a turned and scaled template."""
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (ARCFACE_TEMPLATE_XY - 56) @ turn.T * scale + np.array(centre)
    image = np.full((size[1], size[0], 3), 128, np.uint8)
    for (x, y), colour in zip(points, DOT_COLOURS, strict=True):
        cv2.circle(image, (round(x), round(y)), max(2, round(4 * scale)), colour, -1)
    return image, points.astype(np.float32)


@pytest.mark.parametrize(("scale", "angle_deg"), [(1.0, 0), (0.5, 20), (3.0, -35), (9.0, 90), (2.0, 180)])
def test_landmarks_land_on_the_template(scale: float, angle_deg: float) -> None:
    image, points = drawn_face(scale, angle_deg, (900, 850), (1800, 1700))
    chip = align_face(image, points)
    assert chip.shape == (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    for (x, y), colour in zip(ARCFACE_TEMPLATE_XY + CHIP_MARGIN_PX, DOT_COLOURS, strict=True):
        assert np.abs(chip[round(y), round(x)].astype(int) - colour).max() < 60


def test_a_photo_scaled_up_gives_the_same_chip() -> None:
    image, points = drawn_face(1.0, 10, (200, 200), (400, 400))
    blurred = cv2.GaussianBlur(image, (0, 0), 2)
    large = cv2.resize(blurred, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    small_chip, large_chip = align_face(blurred, points), align_face(large, (points + 0.5) * 8 - 0.5)
    assert np.abs(small_chip.astype(int) - large_chip).mean() < 1.5


def test_fine_texture_of_a_large_face_does_not_alias() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (3200, 1600))
    chip = align_face(np.dstack([stripes] * 3), (ARCFACE_TEMPLATE_XY - 56) * 12 + 1600)
    assert chip[40:120, 40:120].std() < 12


def test_a_face_at_the_border_is_padded_black() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    chip = align_face(image, ARCFACE_TEMPLATE_XY - 56)
    assert chip[:40, :40].max() == 0 and chip[120, 120].min() == 200


def test_landmarks_that_coincide_are_an_error() -> None:
    with pytest.raises(ValueError, match="coincide"):
        align_face(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 7, np.float32))


def test_transform_never_mirrors() -> None:
    mirrored = ARCFACE_TEMPLATE_XY * np.array([-1, 1], np.float32)
    assert np.linalg.det(similarity_transform(mirrored, ARCFACE_TEMPLATE_XY)[:, :2]) > 0


def test_box_landmarks_lie_inside_in_order() -> None:
    points = landmarks_from_box(np.array([100, 50, 200, 180], np.float32))
    assert (points > [100, 50]).all() and (points < [200, 180]).all()
    assert points[0, 0] < points[1, 0] and points[2, 1] < points[3, 1]


def test_crop_keeps_to_the_photo_and_never_is_empty() -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    assert crop_with_margin(image, np.array([10, 10, 30, 30], np.float32), 0.25).shape == (30, 30, 3)
    assert crop_with_margin(image, np.array([70, 50, 90, 70], np.float32), 0.5).shape == (20, 20, 3)
    assert min(crop_with_margin(image, np.array([200, 200, 210, 210], np.float32)).shape[:2]) >= 1


def test_iou_and_clipping() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert iou_matrix(boxes[:1], boxes)[0] == pytest.approx([1, 1 / 3, 0], abs=1e-6)
    assert clip_boxes(boxes, 12, 8).tolist()[1] == [5, 0, 12, 8]
