"""The face analyzer: aligned faces in, estimates of age, gender, ethnicity and emotion out, by DeepFace. Pure."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.analyzer.deepface_client import deepface_input, distribution, load_client
from services.analyzer.framing import EMOTION_WINDOW, FACE_WINDOW
from services.analyzer.graphs import DEEPFACE_VERSION, GRAPHS, lay_out
from services.common.errors import BundleInvalid, WeightsUnavailable
from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import Bundle
from services.common.inference.onnx_session import Device, batch_size, check_cuda, filled

MAX_BATCH: Final = 8  # faces a call: DeepFace's input is 0.6 MB a face, and photos have up to 1000

log = logging.getLogger(__name__)


class FaceAnalyzer:
    """DeepFace over our bundles, or over DeepFace's own graphs. A graph is loaded when it is first asked for.

    `labels` names what answers, `name@version` by attribute. Calls from several threads are safe.
    """

    def __init__(
        self, bundles: Mapping[str, Bundle], threads: int, *, device: Device = "cpu", home: Path | None = None
    ) -> None:
        """`home` becomes DEEPFACE_HOME with links to the bundles' graphs; a temporary folder without. Raises
        BundleInvalid for a bundle of another attribute, or whose classes are not DeepFace's, and DeviceUnavailable for
        `cuda` where there is none."""
        for attribute, bundle in bundles.items():
            if bundle.meta.task != attribute or bundle.meta.classes != GRAPHS[attribute].labels:
                raise BundleInvalid(f"bundle {bundle.meta.label} does not answer {attribute} as DeepFace does")
        if home is None:
            home = Path(tempfile.mkdtemp(prefix="facekit-deepface-"))
            weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
        lay_out({attribute: bundle.onnx_path for attribute, bundle in bundles.items()}, home)
        self._prepare(home, threads, device, {attribute: bundle.meta.label for attribute, bundle in bundles.items()})

    @classmethod
    def with_deepface_graphs(cls, home: Path, threads: int, *, device: Device = "cpu") -> FaceAnalyzer:
        """DeepFace's own graphs in `home`/.deepface/weights. They are looked for when asked for, so that a job fails
        with `weights_unavailable` and the worker lives on to the next, by when they may be there. Raises
        DeviceUnavailable for `cuda` where there is none."""
        analyzer = cls.__new__(cls)
        analyzer._prepare(
            home, threads, device, {attribute: f"deepface-{attribute}@{DEEPFACE_VERSION}" for attribute in GRAPHS}
        )
        return analyzer

    def _prepare(self, home: Path, threads: int, device: Device, labels: Mapping[str, str]) -> None:
        if device == "cuda":
            check_cuda()  # now, and not when the first job loads a graph
        self._home = home
        self._device = device
        self.labels = dict(labels)
        self._threads = threads
        self._clients: dict[str, Any] = {}
        self._loading = threading.Lock()

    def analyze(self, chips: NDArray[np.uint8], attributes: Sequence[str]) -> list[dict[str, Any]]:
        """Chips uint8 (N, 160, 160, 3) RGB → a dict a face with exactly the asked attributes, as `schemas.Attributes`.

        Raises WeightsUnavailable for a graph that is not there, ValueError for another shape or attribute.
        """
        if chips.shape[1:] != (CHIP_SIZE_PX, CHIP_SIZE_PX, 3) or chips.dtype != np.uint8:
            raise ValueError(
                f"chips must be uint8 (N, {CHIP_SIZE_PX}, {CHIP_SIZE_PX}, 3), not {chips.dtype} {chips.shape}"
            )
        answers: list[dict[str, Any]] = [{} for _ in range(len(chips))]
        for attribute, probabilities in self.distributions(chips, attributes).items():
            for answer, row in zip(answers, probabilities, strict=True):
                answer[attribute] = _age(row) if attribute == "age" else _scores(GRAPHS[attribute].labels, row)
        return answers

    def distributions(self, chips: NDArray[np.uint8], attributes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Probabilities (N, classes) by asked attribute, columns as `GRAPHS[attribute].labels`."""
        clients = {attribute: self._client(attribute) for attribute in attributes}
        rows: dict[str, list[NDArray[np.float64]]] = {attribute: [] for attribute in clients}
        size = min((batch_size(client.model, MAX_BATCH) for client in clients.values()), default=MAX_BATCH)
        for part in (chips[start : start + size] for start in range(0, len(chips), size)):
            prepared: dict[object, NDArray[np.float32]] = {}
            for attribute, client in clients.items():
                window = EMOTION_WINDOW if attribute == "emotion" else FACE_WINDOW
                if window not in prepared:
                    prepared[window] = deepface_input(window.cut(part))
                faces = filled(client.model, prepared[window], MAX_BATCH)
                rows[attribute].append(distribution(client, attribute, faces)[: len(part)])
        return {
            attribute: np.concatenate(found) if found else np.zeros((0, GRAPHS[attribute].classes))
            for attribute, found in rows.items()
        }

    def _client(self, attribute: str) -> Any:
        with self._loading:
            if attribute not in self._clients:
                if attribute not in self.labels:
                    raise ValueError(f"this analyzer has no graph for {attribute!r}")
                self._clients[attribute] = load_client(attribute, self._home, self._threads, self._device)
            return self._clients[attribute]

    @property
    def loaded(self) -> frozenset[str]:
        """Attributes whose graphs are in memory."""
        return frozenset(self._clients)

    def replay(self, image_rgb: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        """The golden input is a chip; the answer every attribute's distribution (classes,)."""
        found = self.distributions(image_rgb[None], tuple(self.labels))
        return {attribute: rows[0] for attribute, rows in found.items()}

    def warm_up(self) -> None:
        """Loads and runs every graph once, so that the first job does not pay for it; a missing one is logged."""
        black = np.zeros((1, CHIP_SIZE_PX, CHIP_SIZE_PX, 3), dtype=np.uint8)
        for attribute in self.labels:
            try:
                self.distributions(black, (attribute,))
            except WeightsUnavailable as error:
                log.warning("%s cannot be estimated: %s", attribute, error.detail)


def _age(probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Expectation and standard deviation, years."""
    ages = np.arange(len(probabilities))
    value = float(probabilities @ ages)
    spread = float(np.sqrt(probabilities @ (ages - value) ** 2))
    return {"value": round(value, 2), "spread": round(spread, 2)}


def _scores(labels: Sequence[str], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "label": labels[int(np.argmax(probabilities))],
        "scores": {label: round(float(share), 6) for label, share in zip(labels, probabilities, strict=True)},
    }
