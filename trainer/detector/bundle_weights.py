"""A published bundle's weights as a network that can be trained on.

A bundle's graph holds convolutions with their batch normalisation folded in; without normalisation YOLOv8 does not
train. `unfold` gives every convolution one back that changes nothing at first: its mean and variance are those of the
convolution's own output over training views, its scale and shift undo them.
"""

from collections.abc import Iterable
from pathlib import Path

import onnx
import onnx.numpy_helper
import torch
from torch import Tensor, nn
from tqdm import tqdm
from ultralytics.nn.modules.conv import Conv
from ultralytics.nn.tasks import PoseModel

GRAPH_FILE = "model.onnx"
PREFIX = "network."  # of the weights' names in the graph, see trainer/detector/graph.py


def is_bundle(path: Path) -> bool:
    return path.suffix == ".onnx" or (path / GRAPH_FILE).is_file()


def load_folded(network: PoseModel, path: Path) -> None:
    """Makes the network, in evaluation mode, the function of a bundle (its folder, or its graph), in place.

    Raises ValueError when the graph is of another size or not one of ours.
    """
    folded = _read(path / GRAPH_FILE if path.is_dir() else path)
    state = network.state_dict()
    for name, tensor in folded.items():
        if name in state and state[name].shape == tensor.shape:
            state[name] = tensor
        elif not name.endswith(".conv.bias"):
            raise ValueError(f"{path.name}: {name} {tuple(tensor.shape)} is not of this network; another --size?")
    for name, layer in _normalised(network):
        if f"{name}.conv.bias" not in folded:
            raise ValueError(f"{path.name} has no bias of {name}: not a graph of `trainer detector export`")
        channels = torch.ones(layer.bn.num_features)
        state[f"{name}.bn.running_mean"] = channels * 0
        state[f"{name}.bn.running_var"] = channels * (1 - layer.bn.eps)
        state[f"{name}.bn.weight"] = channels
        state[f"{name}.bn.bias"] = folded[f"{name}.conv.bias"]
    network.load_state_dict(state)


@torch.no_grad()
def average_with(fused: PoseModel, path: Path) -> None:
    """Makes the weights of a fused network (FaceGraph's) the mean of its own and of a bundle's, in place.

    Between a network and the one it was trained on from lie networks that keep more of what both can do: Wortsman et
    al. 2022, https://arxiv.org/abs/2109.01903. Raises ValueError when the graph is of another size or not one of ours.
    """
    state = fused.state_dict()
    theirs = _read(path / GRAPH_FILE if path.is_dir() else path)
    if not theirs:
        raise ValueError(f"{path.name} has no weights of ours: not a graph of `trainer detector export`")
    for name, tensor in theirs.items():
        if name not in state or state[name].shape != tensor.shape:
            raise ValueError(f"{path.name}: {name} {tuple(tensor.shape)} is not of this network; another --size?")
        state[name].lerp_(tensor, 0.5)


@torch.no_grad()
def unfold(network: PoseModel, views: Iterable[Tensor], total: int | None = None) -> None:
    """Gives each normalisation of a network from `load_folded` real statistics, in place; the function stays.

    views: batches (B, 3, H, W), 0..1, like those to be trained on, `total` of them.
    """
    layers = [layer for _, layer in _normalised(network)]
    moments = [_Moments(layer.bn.num_features) for layer in layers]
    hooks = [layer.bn.register_forward_pre_hook(moment) for layer, moment in zip(layers, moments, strict=True)]
    training = network.training
    network.eval()
    network.model[-1].training = True  # the head's raw answers: nothing to decode
    for batch in tqdm(views, desc="batch statistics", unit="batch", total=total):
        network(batch)
    network.train(training)
    for hook, layer, moment in zip(hooks, layers, moments, strict=True):
        hook.remove()
        mean, variance = (part.to(layer.bn.weight.device) for part in moment.mean_and_variance())
        layer.bn.weight.copy_((variance + layer.bn.eps).sqrt())
        layer.bn.bias.add_(mean)
        layer.bn.running_mean.copy_(mean)
        layer.bn.running_var.copy_(variance)


class _Moments:
    """Mean and variance of each channel over every pixel of every batch seen."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._sum, self._squares = torch.zeros(2, channels, dtype=torch.float64)

    def __call__(self, _module: nn.Module, inputs: tuple[Tensor]) -> None:
        values = inputs[0]  # (B, channels, H, W)
        pixels = values.numel() // values.shape[1]
        variance, mean = (part.double().cpu() for part in torch.var_mean(values, dim=(0, 2, 3), correction=0))
        self._count += pixels
        self._sum += pixels * mean
        self._squares += pixels * (variance + mean.square())

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self._sum / self._count
        return mean.float(), (self._squares / self._count - mean.square()).clamp(min=0).float()


def _normalised(network: PoseModel) -> list[tuple[str, Conv]]:
    return [(name, module) for name, module in network.named_modules() if isinstance(module, Conv)]


def _read(graph: Path) -> dict[str, Tensor]:
    """The graph's weights under the network's own names."""
    tensors = onnx.load(str(graph)).graph.initializer
    return {
        tensor.name.removeprefix(PREFIX): torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in tensors
        if tensor.name.startswith(PREFIX)
    }
