"""What is trained on when, and that photos keep their shape where they are to be seen whole."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from trainer.detector.dataset import FacePhotos, TrainingStream
from trainer.detector.schedule import default_phases, learning_rate, phase_at

pytestmark = pytest.mark.trainer


def test_small_squares_come_first_and_whole_photos_last() -> None:
    phases = default_phases(320, 640, 16)
    assert phase_at(phases, 0.0).view_px == (320, 320) and phase_at(phases, 0.74).mosaic > 0
    last = phase_at(phases, 0.76)
    assert last.view_px == (448, 640) and last.mosaic == 0
    assert last.batch_size == round(16 * 320 * 320 / (448 * 640)), "as many pixels a step as before"


def test_a_run_that_goes_on_can_leave_the_first_phase_out() -> None:
    phases = default_phases(320, 640, 16, final_share=1.0)
    assert phase_at(phases, 0.0).view_px == (448, 640)


def test_the_learning_rate_warms_up_and_ends_low() -> None:
    rates = [learning_rate(step / 1000, step, peak=1e-3) for step in range(1001)]
    assert rates[0] < 1e-5 and max(rates) > 7e-4 and rates[-1] == pytest.approx(2e-5)


def test_standing_photos_are_seen_upright_and_lying_ones_lying(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = []
    for kind in ("labels", "ignore"):
        (tmp_path / kind).mkdir()
    for index, (width, height) in enumerate([(120, 80), (80, 120), (120, 90), (60, 100)]):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), np.full((height, width, 3), 40 * index, np.uint8))
        (tmp_path / "labels" / f"{index}.txt").write_text("")
        (tmp_path / "ignore" / f"{index}.txt").write_text("")
        rows.append(f"{index}.png {width} {height}")
    (tmp_path / "photos.txt").write_text("\n".join(rows) + "\n")
    photos = FacePhotos(tmp_path, cache=True)
    stream = TrainingStream(photos, view_px=(64, 96), batch_size=2, scale_range=(0.9, 1.1), mosaic=0, seed=1)
    shapes = [tuple(batch["img"].shape) for batch in islice(stream, 12)]
    assert set(shapes) == {(2, 3, 64, 96), (2, 3, 96, 64)}
