"""The evaluator on cases whose average precision is known by hand."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.unit.trainer.detector.tiny_widerface import write_mat_files
from trainer.detector.wider_protocol import PhotoTruth, average_precision, evaluate, iou_plus_one, load_truth

BOXES = np.array([[10, 10, 40, 50], [100, 20, 30, 30], [200, 40, 60, 80], [300, 300, 20, 20]], dtype=float)


def truth(judged: list[int]) -> dict[str, PhotoTruth]:
    kept = np.isin(np.arange(len(BOXES)), judged)
    return {"photo": PhotoTruth(BOXES, dict.fromkeys(("easy", "medium", "hard"), kept))}


def detections(*rows: tuple[int | None, float]) -> dict[str, np.ndarray]:
    """(which box, score); None is a detection where no face is."""
    away = np.array([600.0, 600, 50, 50])
    return {"photo": np.array([[*(away if box is None else BOXES[box]), score] for box, score in rows])}


def ap(found: dict[str, np.ndarray], judged: list[int]) -> float:
    return evaluate(found, truth(judged))["hard"].average_precision


def test_every_face_found_before_anything_else_is_one() -> None:
    found = detections((0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6), (None, 0.1))
    assert ap(found, [0, 1, 2, 3]) == pytest.approx(1.0)


def test_half_the_faces_found_is_half() -> None:
    assert ap(detections((0, 0.9), (1, 0.8), (None, 0.2)), [0, 1, 2, 3]) == pytest.approx(0.5)


def test_a_false_alarm_ahead_of_the_faces_costs_what_the_envelope_says() -> None:
    # Precisions at recalls 1/4 .. 4/4: 1/2, 2/3, 3/4, 4/5; the envelope is 4/5 throughout.
    found = detections((None, 0.95), (0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6), (None, 0.01))
    assert ap(found, [0, 1, 2, 3]) == pytest.approx(0.8)


def test_faces_outside_the_subset_neither_reward_nor_punish() -> None:
    found = detections((2, 0.95), (3, 0.92), (0, 0.9), (1, 0.8), (None, 0.1))
    assert ap(found, [0, 1]) == pytest.approx(1.0)


def test_finding_a_face_twice_is_a_false_alarm() -> None:
    found = detections((0, 0.9), (0, 0.85), (1, 0.8), (None, 0.1))
    # Recall 1/2 at precision 1, recall 1 at precision 2/3.
    assert ap(found, [0, 1]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_scores_of_any_range_are_scaled_over_all_photos() -> None:
    rows = detections((0, 0.9), (None, 0.8), (1, 0.7), (2, 0.3), (None, 0.1))["photo"]
    stretched = rows.copy()
    stretched[:, 4] = stretched[:, 4] * 7 - 3
    assert ap({"photo": stretched}, [0, 1, 2]) == pytest.approx(ap({"photo": rows}, [0, 1, 2]))


def test_a_photo_with_faces_and_no_detections_lowers_recall() -> None:
    everything = {**truth([0, 1]), "other": truth([0, 1])["photo"]}
    found = {**detections((0, 0.9), (1, 0.8), (None, 0.1)), "other": np.zeros((0, 5))}
    assert evaluate(found, everything)["easy"].average_precision == pytest.approx(0.5)


def test_overlap_counts_inclusive_pixels() -> None:
    assert iou_plus_one(np.array([[0.0, 0, 9, 9]]), np.array([[0.0, 0, 9, 4]]))[0, 0] == pytest.approx(0.5)


def test_area_of_a_staircase() -> None:
    assert average_precision(np.array([1.0, 0.5]), np.array([0.5, 1.0])) == pytest.approx(0.75)


def test_ground_truth_is_read_from_matlab_files(tmp_path: Path) -> None:
    write_mat_files(tmp_path, ["a", "b"], [BOXES[:2], BOXES[2:]], judged=[[2], []])
    read = load_truth(tmp_path)
    assert set(read) == {"a", "b"}
    np.testing.assert_array_equal(read["a"].boxes_xywh, BOXES[:2])
    assert read["a"].judged["easy"].tolist() == [False, True]
    assert read["b"].judged["hard"].tolist() == [False, False]
    assert set(load_truth(tmp_path, {"b"})) == {"b"}
