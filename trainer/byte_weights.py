"""The largest matrices as bytes with a scale a row: a quarter of the file, widened when the graph is loaded.

Rounded before anything is measured (`round_large_matrices`), stored without further loss (`store_bytes`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

LARGE: Final = 1_000_000  # values; smaller weights are halved instead, see half_weights
LEVELS: Final = 127
EXACT: Final = 1e-5  # of a row's largest value


@torch.no_grad()
def round_large_matrices(network: nn.Module) -> None:
    """Gives the weights of large linear layers, in place, the values that `store_bytes` can store."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear) and layer.weight.numel() >= LARGE:
            levels, scale = _levels(layer.weight.numpy())
            layer.weight.copy_(torch.from_numpy(levels * scale))


def store_bytes(model: onnx.ModelProto) -> None:
    """Each large rounded matrix becomes, in place, an int8 one and the Cast and Mul that ONNX Runtime folds at load.

    Raises ValueError for a large matrix that is not rounded: its values would change.
    """
    graph = model.graph
    widened = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or len(weight.dims) != 2 or np.prod(weight.dims) < LARGE:
            continue
        name, (levels, scale) = weight.name, _stored(numpy_helper.to_array(weight), weight.name)
        weight.CopyFrom(numpy_helper.from_array(levels.astype(np.int8), f"{name}.byte"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        widened.append(helper.make_node("Cast", [f"{name}.byte"], [f"{name}.wide"], to=TensorProto.FLOAT))
        widened.append(helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name]))
    nodes = [*widened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # shapes are inferred again; entries for the replaced weights would contradict them
    onnx.checker.check_model(model)


def _stored(matrix: NDArray[np.float32], name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Levels and scale of a matrix whose rows, or columns after an exporter's transpose, were rounded."""
    for axis in (1, 0):
        levels, scale = _levels(matrix, axis)
        if np.abs(levels * scale - matrix).max() <= EXACT * np.abs(matrix).max():
            return levels, scale
    raise ValueError(f"{name} is not rounded to bytes")


def _levels(matrix: NDArray[np.float32], axis: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Whole numbers -127 to 127, and the factor of each row (axis 1) or column (axis 0)."""
    scale = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), 1e-12) / np.float32(LEVELS)
    return np.round(matrix / scale), scale.astype(np.float32)
