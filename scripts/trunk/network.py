"""A face network from an ONNX file, fed in one of the ways such networks are fed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import CHIP_CORE_PX, CHIP_SIZE_PX
from services.common.inference.bundle import InputSpec
from services.common.inference.onnx_session import open_session, session_options
from services.verifier.preprocess import tower_input

BATCH: Final = 32
# (x / scale - mean) / std as public face networks have it: -1 to 1, 0 to 1, plain grey levels, ImageNet's.
NORMALISATIONS: Final[tuple[dict[str, Any], ...]] = (
    {"scale": 127.5, "mean": (1.0,), "std": (1.0,)},
    {"scale": 255.0, "mean": (0.0,), "std": (1.0,)},
    {"scale": 1.0, "mean": (0.0,), "std": (1.0,)},
    {"scale": 255.0, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
)


class NotAFaceNetwork(Exception):
    """An ONNX file that does not take one picture and give one vector; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Feeding:
    """How chips become the graph's input: shrunk to `chip_side_px`, the centre cut out, normalised by `spec`."""

    spec: InputSpec
    chip_side_px: int

    def __str__(self) -> str:
        spec = self.spec
        return (
            f"{spec.width_px} px of a chip of {self.chip_side_px}, {spec.channels}, "
            f"(x / {spec.scale:g} - {spec.mean[0]:g}) / {spec.std[0]:g}"
        )


class Network:
    """Runs the file on the CPU. Raises NotAFaceNetwork."""

    def __init__(self, onnx: Path, threads: int) -> None:
        try:
            self._session = open_session(onnx, session_options(threads), "cpu")
        except Exception as error:  # ONNX Runtime has one exception a kind of damage
            raise NotAFaceNetwork(f"{onnx.name} cannot be loaded: {str(error).splitlines()[0]}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)":
            raise NotAFaceNetwork(f"{onnx.name} should take one picture of 32-bit floats, not {inputs[0].type} {shape}")
        self._layout: Literal["nchw", "nhwc"] = "nchw" if shape[1] == 3 else "nhwc"
        height, width = shape[2:] if self._layout == "nchw" else shape[1:3]
        # A side that the graph leaves open is the field's usual one.
        self._size = tuple(side if isinstance(side, int) and side > 0 else CHIP_CORE_PX for side in (height, width))
        if 3 not in (shape[1], shape[3]) or max(self._size) > CHIP_SIZE_PX:
            raise NotAFaceNetwork(f"{onnx.name} takes {shape}; chips have 3 channels and {CHIP_SIZE_PX} px")
        self._batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else BATCH
        self._names = inputs[0].name, outputs[0].name

    def feedings(self) -> Iterator[Feeding]:
        """Every way to feed it that is worth a try."""
        height, width = self._size
        core = min(round(CHIP_SIZE_PX * height / CHIP_CORE_PX), CHIP_SIZE_PX)
        for chip_side_px in sorted({core, max(height, width, CHIP_CORE_PX)}, reverse=True):
            for channels in ("rgb", "bgr"):
                for normal in NORMALISATIONS:
                    spec = InputSpec.model_validate(
                        {
                            "width_px": width,
                            "height_px": height,
                            "channels": channels,
                            "layout": self._layout,
                            **normal,
                        }
                    )
                    yield Feeding(spec, chip_side_px)

    def embed(self, chips: NDArray[np.uint8], feeding: Feeding) -> NDArray[np.float32]:
        """Chips uint8 (N, 160, 160, 3) RGB → vectors float32 (N, D) of unit length. Raises NotAFaceNetwork."""
        vectors = []
        for start in range(0, len(chips), self._batch):
            part = chips[start : start + self._batch]
            pixels = tower_input(part, feeding.spec, feeding.chip_side_px)
            if len(part) < self._batch:  # a graph of a fixed size wants it whole
                pixels = np.concatenate([pixels, np.repeat(pixels[:1], self._batch - len(part), axis=0)])
            answer = np.asarray(self._session.run([self._names[1]], {self._names[0]: pixels})[0], dtype=np.float32)
            if answer.size % self._batch or answer.size == self._batch:
                raise NotAFaceNetwork(f"the network answers {answer.shape}; wanted is one vector a face")
            vectors.append(answer.reshape(self._batch, -1)[: len(part)])
        whole = np.concatenate(vectors)
        return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-12), dtype=np.float32)
