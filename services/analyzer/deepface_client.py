"""One of DeepFace's models, loaded by DeepFace from a folder we choose, with the threads we choose."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.analyzer.graphs import GRAPHS, HOW_TO_FETCH, check_contract, graph_file
from services.common.errors import WeightsUnavailable
from services.common.inference.onnx_session import Device, open_session, session_options

# DeepFace reads its folder from the environment, which all threads share: so one load at a time.
_LOADING: Final = threading.Lock()


def load_client(attribute: str, home: Path, threads: int, device: Device = "cpu") -> Any:
    """DeepFace's client (`predict`, `model`: its ONNX Runtime session) for an attribute. Raises WeightsUnavailable when
    the graph is missing or is not of DeepFace's contract, DeviceUnavailable for `cuda` where there is none; never
    reaches for the network."""
    file = graph_file(home, attribute)
    # ONNX Runtime 1.32 reports its use to its makers unless told otherwise before it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # DeepFace's own session is opened on the CPU: it is replaced by ours, on the device that was asked for.
    settings = {"DEEPFACE_HOME": str(home), "DEEPFACE_BACKEND_ENGINE": "onnx", "DEEPFACE_ONNX_PROVIDERS": "cpu"}
    with _LOADING, _environment(settings):
        # Here and not above: DeepFace decides at import which engine it runs on.
        from deepface.modules import modeling

        # Not `build_model`: it keeps one model for the process, and a new bundle is tried while the old one still
        # serves.
        client_class = modeling.get_model_class(task="facial_attribute", model_name=GRAPHS[attribute].client)
        try:
            client = client_class()
        except ValueError as error:
            name = GRAPHS[attribute].file_name
            raise WeightsUnavailable(f"{name} is not a graph or is cut off. {HOW_TO_FETCH} to replace it.") from error
        _reopen(client, file, threads, device)
    check_contract(client.model, attribute)
    return client


def deepface_input(crops_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops (N, H, W, 3) uint8 RGB → (N, 224, 224, 3) float32 BGR in 0..1, step for step as `DeepFace.analyze` prepares
    a face with `detector_backend="skip"`."""
    from deepface.modules import detection, preprocessing

    faces = np.empty((len(crops_rgb), 224, 224, 3), dtype=np.float32)
    for index, crop in enumerate(crops_rgb):
        found = detection.extract_faces(crop[:, :, ::-1], detector_backend="skip", enforce_detection=False, align=True)
        faces[index] = preprocessing.resize_image(img=found[0]["face"][:, :, ::-1], target_size=(224, 224))[0]
    return faces


def distribution(client: Any, attribute: str, faces: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities (N, classes) for prepared faces (N, 224, 224, 3), in the order of the graph's labels."""
    from deepface.commons.onnx_utils import run_session

    # Age's `predict` keeps the expectation only; the spread needs the whole distribution.
    raw = run_session(client.model, faces) if attribute == "age" else client.predict(faces)
    scores = np.asarray(raw, dtype=np.float64).reshape(len(faces), GRAPHS[attribute].classes)
    return np.asarray(scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12))


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process while the block runs; afterwards they are what they were."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _reopen(client: Any, file: Path, threads: int, device: Device) -> None:
    """Opens DeepFace's session again, with our device and our number of threads. DeepFace sets neither, and ONNX
    Runtime then takes all cores of the host, also where we may use a few. The options of an open session cannot be
    changed."""
    options = session_options(threads)
    options.log_severity_level = client.model.get_session_options().log_severity_level
    client.model = None  # first: DeepFace's own graphs hold half a gigabyte each
    client.model = open_session(file, options, device)
