"""Exported graphs → a network that can be trained on: export folds each norm into the convolution before it, and this
puts one back in, so that a run goes on from shipped bundles when its checkpoints are gone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor
from ultralytics.nn.modules import Conv

from services.common.inference.bundle import load_bundle
from trainer.attributes.network import AttributeNet
from trainer.half_weights import HALF_SUFFIX

FIRST_NETWORK = "nets.0."  # as `DeepFaceGraph` names the first of those that answer together


def restore(net: AttributeNet, bundles: Path, pictures: Iterable[Tensor] = ()) -> None:
    """Fills `net` from `bundles`/<head>/ for each of its heads; in evaluation it then answers as the graphs do.
    `pictures`: batches (N, C, S, S) in [0, 1] as training shows them, whose means and variances the norms start with; a
    network that will not be trained needs none.

    Raises BundleInvalid for a folder that is no bundle, ValueError for graphs of another network or of several runs.
    """
    weights = _weights(bundles, list(net.heads))
    for name, head in net.heads.items():
        _copy(head.weight, weights, f"heads.{name}.weight")
        _copy(head.bias, weights, f"heads.{name}.bias")
    biases = {}
    for name, module in net.named_modules():
        if isinstance(module, Conv):
            _copy(module.conv.weight, weights, f"{name}.conv.weight")
            biases[name] = torch.from_numpy(np.array(weights[f"{name}.conv.bias"]))
    _fill_norms(net, biases, pictures)


def _weights(bundles: Path, heads: list[str]) -> dict[str, NDArray[np.float32]]:
    """By parameter name, of all heads' graphs together."""
    weights: dict[str, NDArray[np.float32]] = {}
    for head in heads:
        graph = onnx.load(load_bundle(bundles / head).onnx_path).graph
        for stored in graph.initializer:
            if not stored.name.startswith(FIRST_NETWORK):
                continue
            name = stored.name.removeprefix(FIRST_NETWORK).removesuffix(HALF_SUFFIX)
            values = numpy_helper.to_array(stored).astype(np.float32)
            if name in weights and not np.array_equal(weights[name], values):
                raise ValueError(f"the graphs of {', '.join(heads)} in {bundles} are not of one training run")
            weights[name] = values
    return weights


@torch.no_grad()
def _copy(parameter: Tensor, weights: dict[str, NDArray[np.float32]], name: str) -> None:
    found = weights.get(name)
    if found is None or found.shape != tuple(parameter.shape):
        raise ValueError(f"the graphs hold no {name} of shape {tuple(parameter.shape)}: they are of another network")
    parameter.copy_(torch.from_numpy(found))


@torch.no_grad()
def _fill_norms(net: AttributeNet, biases: dict[str, Tensor], pictures: Iterable[Tensor]) -> None:
    """Each norm takes its convolution's mean and variance over `pictures`, and a scale and shift that undo them but for
    the bias. Filters are brought to length 1 first: a norm makes their length free, and AdamW's steps are absolute."""
    convolutions = {name: module for name, module in net.named_modules() if isinstance(module, Conv)}
    sums = {name: torch.zeros(3, len(bias), dtype=torch.float64) for name, bias in biases.items()}
    hooks = []
    for name, module in convolutions.items():
        # As exported, for the pass that measures: the folded bias and nothing else.
        module.bn.reset_running_stats()
        module.bn.running_var.fill_(1 - module.bn.eps)
        module.bn.weight.fill_(1)
        module.bn.bias.copy_(biases[name])

        def measure(_: object, __: object, output: Tensor, name: str = name) -> None:
            values = output.double()
            count = torch.full((output.shape[1],), values.numel() / output.shape[1], dtype=torch.float64)
            sums[name] += torch.stack([count, values.sum(dim=(0, 2, 3)), values.square().sum(dim=(0, 2, 3))])

        hooks.append(module.conv.register_forward_hook(measure))
    net.eval()
    for batch in pictures:
        net(batch)
    for hook in hooks:
        hook.remove()
    for name, module in convolutions.items():
        count, total, squares = sums[name]
        if not count.any():
            continue
        mean, length = total / count, module.conv.weight.flatten(1).norm(dim=1).clamp(min=1e-6)
        variance = (squares / count - mean.square()).clamp(min=0)
        module.conv.weight.div_(length.view(-1, 1, 1, 1))
        module.bn.running_mean.copy_(mean / length)
        module.bn.running_var.copy_(variance / length.double().square())
        module.bn.weight.copy_((module.bn.running_var + module.bn.eps).sqrt() * length)
        module.bn.bias.copy_(biases[name] + mean)
