"""Evaluation prepares faces as DeepFace does: the figures on a card are those of serving."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.trainer.attributes.tiny_sets import picture
from trainer.attributes.as_served import emotion_input, face_input

pytest.importorskip("deepface")


@pytest.mark.parametrize("side_px", [48, 96, 112, 300])
def test_inputs_equal_deepfaces(side_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface.models.demography.onnx.Emotion import EmotionClient

    from services.analyzer.deepface_client import deepface_input

    crop = picture(3, side_px)
    theirs = deepface_input(crop[None])[0]
    np.testing.assert_allclose(face_input(crop), theirs, atol=1e-6)
    grey = EmotionClient._preprocess_image(EmotionClient.__new__(EmotionClient), theirs)
    np.testing.assert_allclose(emotion_input(crop)[..., 0], grey, atol=1e-6)
