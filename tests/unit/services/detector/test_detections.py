"""Duplicates of a face become one, and where they lie says where it is."""

import numpy as np
import pytest

from services.detector.detections import Detections, suppress


def detections(*rows: tuple[float, float, float, float, float]) -> Detections:
    """x1, y1, x2, y2, confidence; landmarks at the top left corner."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4], np.repeat(table[:, None, :2], 5, axis=1))


TWINS = detections((0, 0, 100, 100, 0.6), (10, 0, 110, 100, 0.3), (300, 0, 350, 50, 0.5))


def test_the_surest_of_overlapping_boxes_stays() -> None:
    kept = suppress(TWINS, 0.6)
    np.testing.assert_array_equal(kept.boxes_xyxy, [[0, 0, 100, 100], [300, 0, 350, 50]])
    np.testing.assert_allclose(kept.confidence, [0.6, 0.5])


def test_its_duplicates_vote_on_its_place_by_confidence_and_overlap() -> None:
    kept = suppress(TWINS, 0.6, vote_iou=0.65)
    overlap = 90 / 110
    shift = 10 * 0.3 * overlap / (0.6 + 0.3 * overlap)
    np.testing.assert_allclose(kept.boxes_xyxy[0], [shift, 0, 100 + shift, 100], rtol=1e-5)
    np.testing.assert_allclose(kept.landmarks_xy[0], [[shift, 0]] * 5, rtol=1e-5)
    np.testing.assert_array_equal(kept.boxes_xyxy[1], [300, 0, 350, 50])
    np.testing.assert_allclose(kept.confidence, [0.6, 0.5])


@pytest.mark.parametrize("vote_iou", [1.0, 0.65])
def test_nothing_found_stays_nothing(vote_iou: float) -> None:
    kept = suppress(detections(), 0.6, vote_iou)
    assert kept.boxes_xyxy.shape == (0, 4) and kept.landmarks_xy.shape == (0, 5, 2) and len(kept) == 0
