"""Large weights stored as float16 and widened when the graph is loaded: half the file, still computed in float32."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALF_SUFFIX: Final = ".half"
LARGE: Final = 4096  # values; norms, slopes and first layers stay as they are, and cost a file little


def store_half(model: onnx.ModelProto) -> None:
    """Each large float32 weight becomes, in place, a float16 one and a Cast that ONNX Runtime folds away at load."""
    graph = model.graph
    widened = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < LARGE:
            continue
        name, half = weight.name, f"{weight.name}{HALF_SUFFIX}"
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), half))
        widened.append(helper.make_node("Cast", [half], [name], f"{name}.widen", to=TensorProto.FLOAT))
    nodes = [*widened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # shapes are inferred again; entries for the replaced weights would contradict them
    onnx.checker.check_model(model)
