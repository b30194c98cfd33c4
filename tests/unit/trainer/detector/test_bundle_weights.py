"""A published bundle taken up again: the same function to begin with, and one that can be trained."""

import copy
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

import torch

from services.detector import model as detector_model
from tests.photos import astronaut_rgb
from trainer.detector.bundle_weights import average_with, is_bundle, load_folded, unfold
from trainer.detector.graph import OUTPUTS, FaceGraph
from trainer.detector.network import build_network

pytestmark = pytest.mark.trainer

BUNDLE = Path(detector_model.__file__).parent / "model"


def pictures() -> "torch.Tensor":
    """Two views (2, 3, 256, 320), one with a face."""
    image = torch.from_numpy(astronaut_rgb().copy()).permute(2, 0, 1).float() / 255
    return torch.stack([image[:, 20:276, 80:400], image[:, 256:512, 80:400]])


def test_the_unfolded_network_answers_as_the_bundle() -> None:
    network = build_network("n")
    load_folded(network, BUNDLE)
    unfold(network, [pictures(), pictures().flip(3)])
    session = onnxruntime.InferenceSession(BUNDLE / "model.onnx", providers=["CPUExecutionProvider"])
    expected = session.run(list(OUTPUTS), {"image": pictures()[:1].numpy()})
    with torch.no_grad():
        answered = FaceGraph(copy.deepcopy(network))(pictures()[:1])
    assert expected[0].max() > 0.5, "a picture with a face, or the comparison says little"
    for one, other in zip(expected, answered, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-3)


def test_normalisation_has_the_statistics_of_what_it_was_shown() -> None:
    network = build_network("n")
    load_folded(network, BUNDLE)
    views = pictures()
    unfold(network, [views[:1], views[1:]])
    first = network.model[0]
    with torch.no_grad():
        values = first.conv(views)
    variance, mean = torch.var_mean(values, dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(first.bn.running_mean, mean, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(first.bn.running_var, variance, atol=1e-4, rtol=1e-3)
    network.train()
    assert all(torch.isfinite(part).all() for part in network(views).values() if isinstance(part, torch.Tensor))


def test_another_size_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="--size"):
        load_folded(build_network("s"), BUNDLE)


def test_a_bundle_is_told_from_other_weights(tmp_path: Path) -> None:
    assert is_bundle(BUNDLE) and is_bundle(BUNDLE / "model.onnx")
    assert not is_bundle(tmp_path) and not is_bundle(tmp_path / "yolov8n.pt")


def test_the_average_lies_half_way_to_the_bundle() -> None:
    network = build_network("n")
    load_folded(network, BUNDLE)
    of_the_bundle = FaceGraph(network).network.state_dict()
    moved = copy.deepcopy(of_the_bundle)
    for tensor in moved.values():
        tensor.add_(0.5)
    fused = FaceGraph(build_network("n")).network
    fused.load_state_dict(moved)
    average_with(fused, BUNDLE)
    averaged = fused.state_dict()
    for name, _ in fused.named_parameters():
        if ".dfl." not in name:  # a constant, and not in the graph
            torch.testing.assert_close(averaged[name], of_the_bundle[name] + 0.25, atol=1e-5, rtol=1e-5)


def test_networks_of_two_sizes_have_no_average() -> None:
    with pytest.raises(ValueError, match="--size"):
        average_with(FaceGraph(build_network("s")).network, BUNDLE)
