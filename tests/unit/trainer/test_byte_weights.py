"""Large matrices are rounded once, before anything is measured, and stored as they are then."""

from __future__ import annotations

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from trainer.byte_weights import LARGE, round_large_matrices, store_bytes  # noqa: E402

pytestmark = pytest.mark.trainer


def large_layer() -> torch.nn.Linear:
    torch.manual_seed(2)
    layer = torch.nn.Linear(LARGE // 64 + 8, 64)
    with torch.no_grad():
        layer.weight.mul_(torch.logspace(-3, 1, 64)[:, None])  # rows of very different size
    return layer


@pytest.mark.parametrize("transposed", [False, True])
def test_what_was_rounded_is_stored_in_a_quarter_and_answers_the_same(transposed: bool) -> None:
    layer = large_layer()
    round_large_matrices(layer)
    weight = layer.weight.detach().numpy()
    model = _graph(weight.T.copy() if transposed else weight, transposed)
    x = np.random.default_rng(0).normal(size=(3, weight.shape[1])).astype(np.float32)
    before = _run(model, x)
    size = len(model.SerializeToString())
    store_bytes(model)
    assert len(model.SerializeToString()) < 0.26 * size
    assert _run(model, x) == pytest.approx(before, rel=1e-5, abs=1e-5)


def test_rounding_costs_little_and_a_second_time_nothing() -> None:
    layer, small = large_layer(), torch.nn.Linear(8, 8)
    exact, untouched = layer.weight.detach().clone(), small.weight.detach().clone()
    network = torch.nn.Sequential(layer, small)
    round_large_matrices(network)
    once = layer.weight.detach().clone()
    largest = exact.abs().amax(1, keepdim=True)
    assert bool(((once - exact).abs() <= largest / 254 * 1.001).all()) and not torch.equal(once, exact)
    round_large_matrices(network)
    assert torch.allclose(layer.weight, once, rtol=1e-6)
    assert torch.equal(small.weight, untouched)


def test_an_unrounded_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="not rounded"):
        store_bytes(_graph(large_layer().weight.detach().numpy(), transposed=False))


def _graph(weight: np.ndarray, transposed: bool) -> onnx.ModelProto:
    helper = onnx.helper
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=0 if transposed else 1)
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, width])
        for name, width in (("x", max(weight.shape)), ("y", min(weight.shape)))
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [onnx.numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    onnx.save(model, buffer)
    session = onnxruntime.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])
