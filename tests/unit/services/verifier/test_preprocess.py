"""What a tower is fed."""

from __future__ import annotations

import numpy as np
import pytest

from services.common.inference.bundle import InputSpec
from services.verifier.preprocess import shrink_chips, tower_input

CHIP = np.zeros((1, 160, 160, 3), dtype=np.uint8)
CHIP[..., 0] = 255


def spec(**changes: object) -> InputSpec:
    given = {
        "width_px": 112,
        "height_px": 112,
        "channels": "rgb",
        "layout": "nchw",
        "mean": (0.5,) * 3,
        "std": (0.5,) * 3,
    }
    return InputSpec.model_validate({**given, **changes})


def test_pixels_are_normalised_channel_by_channel() -> None:
    x = tower_input(CHIP, spec(), 160)
    assert x.shape == (1, 3, 112, 112) and x.dtype == np.float32
    assert x[0, :, 0, 0].tolist() == [1, -1, -1]


def test_channel_order_and_layout_follow_the_bundle() -> None:
    x = tower_input(CHIP, spec(channels="bgr", layout="nhwc", scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3), 160)
    assert x.shape == (1, 112, 112, 3) and x[0, 0, 0].tolist() == [0, 0, 255]


def test_the_centre_is_kept() -> None:
    chip = np.zeros((1, 160, 160, 3), dtype=np.uint8)
    chip[0, 24:136, 24:136] = 255
    assert tower_input(chip, spec(), 160).min() == 1
    assert shrink_chips(chip, 80)[0, 12:68, 12:68].min() == 255


@pytest.mark.parametrize("chips", [CHIP[0], CHIP[:, :112], CHIP.astype(np.float32)])
def test_anything_but_chips_is_refused(chips: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8 chips"):
        tower_input(chips, spec(), 160)


def test_a_graph_larger_than_the_chip_is_refused() -> None:
    with pytest.raises(ValueError, match="112x112"):
        tower_input(CHIP, spec(), 96)
