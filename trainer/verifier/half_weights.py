"""Large weights stored as float16 and widened when the graph is loaded: half the file, still computed in float32."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LARGE = 4096  # entries; norms and slopes stay as they are


def store_half(model: onnx.ModelProto) -> None:
    """Replaces each large float32 weight by a float16 one and a Cast, which ONNX Runtime folds away at load."""
    graph = model.graph
    widened = []
    for index, weight in enumerate(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < LARGE:
            continue
        name = weight.name
        half = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{name}.half")
        graph.initializer[index].CopyFrom(half)
        widened.append(helper.make_node("Cast", [f"{name}.half"], [name], f"{name}.widen", to=TensorProto.FLOAT))
    nodes = [*widened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # shapes are inferred again; entries for the replaced weights would contradict them
    onnx.checker.check_model(model)
