"""A graph with one of DeepFace's contracts and weights of no meaning: what it answers depends on every pixel."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from services.analyzer.graphs import GRAPHS


def tiny_graph(attribute: str, seed: int, classes: int | None = None) -> bytes:
    """(N, side, side, channels) → softmax of a linear map of means over a 4x4 grid; a few kB. `classes` other than
    the contract's makes a graph that DeepFace could not use."""
    graph = GRAPHS[attribute]
    classes = graph.classes if classes is None else classes
    rng = np.random.default_rng([seed, graph.side_px, graph.classes])
    features = 16 * graph.channels
    cell = graph.side_px // 4
    weights = {
        "weights": rng.normal(0, 2, (features, classes)).astype(np.float32),
        "flat": np.array([-1, features], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["faces"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["cells"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Reshape", ["cells", "flat"], ["features"]),
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shape = ["count", graph.side_px, graph.side_px, graph.channels]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            attribute,
            [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["count", classes])],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    checker.check_model(model)
    return bytes(model.SerializeToString())
