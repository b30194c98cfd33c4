"""The siamese verifier: chips → embeddings → similarity, probability and the rates measured at a threshold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.errors import BundleInvalid
from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import Bundle
from services.common.inference.onnx_session import Device, batch_size, filled, open_session, session_options
from services.common.schemas import Threshold
from services.verifier.judge import DIGITS, SUREST, rounded
from services.verifier.preprocess import tower_input
from services.verifier.quality import QualityLimits

MAX_BATCH: Final = 32  # photos of crowds are embedded in parts: memory stays bounded
SHOWN_EVERY: Final = 4  # rows of the calibration's table between two that are shown


class _RatesRow(BaseModel):
    model_config = ConfigDict(extra="ignore")
    threshold: float
    far: float = Field(ge=0, le=1)
    frr: float = Field(ge=0, le=1)
    far_any: float | None = Field(default=None, ge=0, le=1)
    far_worst: float | None = Field(default=None, ge=0, le=1)


class _Calibration(BaseModel):
    """`calibration` of model.json. `slope` and `intercept` make a logistic of the cosine, for equal prior odds; the
    table rises by threshold, and its `far` is of strangers who look alike where it has a `far_any` beside."""

    model_config = ConfigDict(extra="ignore")
    slope: float = Field(gt=0)
    intercept: float
    default_threshold: float
    worst_group: str | None = None
    table: list[_RatesRow] = Field(min_length=2)


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="ignore")
    chip_side_px: int = Field(gt=0, le=CHIP_SIZE_PX)


class FaceVerifier:
    """Loads a verifier bundle for one process. Deterministic: the same chip gives the same embedding in any batch size
    up to float rounding. Raises BundleInvalid when the bundle has no usable calibration, DeviceUnavailable for `cuda`
    where there is none."""

    def __init__(self, bundle: Bundle, threads: int, device: Device = "cpu") -> None:
        try:
            self._calibration = _Calibration.model_validate(bundle.meta.calibration)
            self._parameters = _Parameters.model_validate(bundle.meta.parameters)
            self.limits = QualityLimits.model_validate(bundle.meta.parameters)
        except ValidationError as error:
            raise BundleInvalid(f"bundle {bundle.meta.label}: {error.errors()[0]['msg']}") from error
        self.label = bundle.meta.label
        self._input = bundle.meta.input
        rows = sorted(self._calibration.table, key=lambda row: row.threshold)
        self._table = [
            Threshold(
                value=rounded(row.threshold), far=row.far, frr=row.frr, far_any=row.far_any, far_worst=row.far_worst
            )
            for row in rows
        ]
        self.worst_group = self._calibration.worst_group
        self._session = open_session(bundle.onnx_path, session_options(threads), device)
        self._input_name = self._session.get_inputs()[0].name
        self._output_name = self._session.get_outputs()[0].name
        first = self._session.get_inputs()[0].shape[0]
        self._batch = first if isinstance(first, int) else MAX_BATCH
        self._dimensions = int(self._session.get_outputs()[0].shape[-1])

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Aligned chips uint8 (N, 160, 160, 3) RGB → embeddings float32 (N, D) of unit length; N may be 0.

        Raises ValueError for another shape or type.
        """
        if not len(chips):
            return np.zeros((0, self._dimensions), dtype=np.float32)
        size = batch_size(self._session, self._batch)
        vectors = np.concatenate([self._run(chips[start : start + size]) for start in range(0, len(chips), size)])
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = tower_input(chips, self._input, self._parameters.chip_side_px)
        inputs = {self._input_name: filled(self._session, pixels, self._batch)}
        answered = self._session.run([self._output_name], inputs)[0]
        return np.asarray(answered, dtype=np.float32).reshape(-1, self._dimensions)[: len(chips)]

    def similarity(self, anchor: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines (N,) of one embedding (D,) with others (N, D): -1 to 1, the same in both directions."""
        # A sum of products in a fixed order: matrix products may sum in another for another N.
        return np.asarray(np.clip((others * anchor[None, :]).sum(axis=1), -1.0, 1.0), dtype=np.float32)

    def probability(self, similarity: float, prior: float = 0.5) -> float:
        """That both are one person, had a match been as likely as `prior` before looking; rises with similarity, and is
        never 0 or 1."""
        logit = self._calibration.slope * similarity + self._calibration.intercept + float(np.log(prior / (1 - prior)))
        return round(float(np.clip(0.5 * (1 + np.tanh(logit / 2)), 1 - SUREST, SUREST)), DIGITS)

    @property
    def thresholds(self) -> Sequence[Threshold]:
        """Rates over the range of thresholds, rising: for a table or a curve to choose from."""
        return self._table[::SHOWN_EVERY]

    def threshold_for_far(self, max_far: float | None = None) -> Threshold:
        """The lowest threshold at which at most `max_far` of impostor pairs were accepted; the bundle's own without."""
        if max_far is None:
            return self.rates_at(self._calibration.default_threshold)
        return next((row for row in self._table if row.far <= max_far), self._table[-1])

    def rates_at(self, threshold: float) -> Threshold:
        """The rates measured nearest to a threshold, on the side that promises less: false accepts at the row below it,
        false rejects at the row above. At a row of the table, that row."""
        value = rounded(threshold)
        below = next((row for row in reversed(self._table) if row.value <= value), None)
        above = next((row for row in self._table if row.value >= value), None)
        least, most = below or self._table[0], above or self._table[-1]
        return Threshold(
            value=value,
            far=least.far if below else 1.0,
            frr=most.frr if above else 1.0,
            far_any=least.far_any if below or least.far_any is None else 1.0,
            far_worst=least.far_worst if below or least.far_worst is None else 1.0,
        )

    def replay(self, image_rgb: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        """The golden input is a chip; the answer its embedding (D,)."""
        return {"embedding": self.embed(image_rgb[None])[0]}

    def warm_up(self) -> None:
        """One pass of each common batch size, so that the first job does not pay for allocation."""
        for count in (1, 2):
            self.embed(np.zeros((count, CHIP_SIZE_PX, CHIP_SIZE_PX, 3), dtype=np.uint8))
