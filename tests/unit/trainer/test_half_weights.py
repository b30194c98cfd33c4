"""Weights stored as float16: half the file, the same answer, and small ones left alone."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from trainer.half_weights import HALF_SUFFIX, LARGE, store_half


def linear(features: int, classes: int) -> onnx.ModelProto:
    """(N, features) → (N, classes), a matrix and a bias."""
    rng = np.random.default_rng(3)
    weights = {
        "matrix": rng.normal(0, 0.1, (features, classes)).astype(np.float32),
        "bias": rng.normal(0, 0.1, classes).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "matrix"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
        for name, width in (("x", features), ("y", classes))
    ]
    graph = helper.make_graph(
        nodes, "linear", values[:1], values[1:], [numpy_helper.from_array(v, k) for k, v in weights.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def answer(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_a_large_weight_takes_half_the_file_and_answers_the_same() -> None:
    model = linear(LARGE // 16, 32)
    before = model.ByteSize()
    x = np.random.default_rng(4).normal(0, 1, (5, LARGE // 16)).astype(np.float32)
    expected = answer(model, x)
    store_half(model)
    assert model.ByteSize() < before * 0.55
    stored = {weight.name: weight.data_type for weight in model.graph.initializer}
    assert stored == {f"matrix{HALF_SUFFIX}": TensorProto.FLOAT16, "bias": TensorProto.FLOAT}
    found = answer(model, x)
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert not np.array_equal(found, expected), "they were rounded"


def test_small_weights_stay_as_they_are() -> None:
    model = linear(8, LARGE // 8 - 1)
    before = model.SerializeToString()
    store_half(model)
    assert model.SerializeToString() == before
