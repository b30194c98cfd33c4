"""Faces as they reach DeepFace's graphs in serving, for evaluation where DeepFace itself is not installed.

The steps are those of DeepFace.analyze 0.0.103 with `detector_backend="skip"`; a test in the serving environment holds
them equal to DeepFace's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.analyzer.framing import EMOTION_WINDOW, FACE_WINDOW
from services.analyzer.graphs import GRAPHS

DEEPFACE_SIZE_PX = 224
BATCH = 32


def face_input(crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A crop (H, H, 3) RGB → (224, 224, 3) float32 BGR in 0..1."""
    scaled = (crop_rgb[:, :, ::-1] / 255).astype(np.float64)
    resized = cv2.resize(scaled, (DEEPFACE_SIZE_PX, DEEPFACE_SIZE_PX))
    return np.asarray(resized, dtype=np.float32)


def emotion_input(crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A crop (H, H, 3) RGB → (48, 48, 1) float32 grey in 0..1."""
    side = GRAPHS["emotion"].side_px
    grey = cv2.cvtColor(face_input(crop_rgb), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (side, side))[:, :, None], dtype=np.float32)


class ServedGraph:
    """One attribute's graph, given chips or crops as serving gives them."""

    def __init__(self, onnx: bytes, attribute: str, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.attribute = attribute
        self._session: Any = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, classes) for the graph's own inputs."""
        return np.asarray(self._session.run(None, {self._input: inputs})[0], dtype=np.float32)

    def answer_chips(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, classes) for chips (N, 160, 160, 3) RGB."""
        window = EMOTION_WINDOW if self.attribute == "emotion" else FACE_WINDOW
        return self.answer_crops(window.cut(chips))

    def answer_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, classes) for crops (N, side, side, 3) RGB that are framed already."""
        prepare = emotion_input if self.attribute == "emotion" else face_input
        return np.concatenate([self.run(np.stack([prepare(crop) for crop in part])) for part in _parts(crops)])


def answer_faces(graphs: Mapping[str, ServedGraph], chips: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Each graph's `answer_chips` for graphs that share an input (all but emotion), which is prepared once."""
    answers: dict[str, list[NDArray[np.float32]]] = {name: [] for name in graphs}
    for part in _parts(FACE_WINDOW.cut(chips)):
        inputs = np.stack([face_input(crop) for crop in part])
        for name, graph in graphs.items():
            answers[name].append(graph.run(inputs))
    return {name: np.concatenate(parts) for name, parts in answers.items()}


def _parts(crops: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(crops), BATCH):
        yield crops[start : start + BATCH]
