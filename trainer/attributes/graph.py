"""A trained network as DeepFace's graphs: channels last, DeepFace's value range and colours, one answer a graph."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Sequence
from typing import Final

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from ultralytics.nn.modules import Conv

from services.analyzer.graphs import GRAPHS
from trainer.attributes.network import EMOTION_SIZE_PX, FACE_SIZE_PX, AttributeNet
from trainer.half_weights import store_half
from trainer.onnx_notes import forget_sources

# At which sizes each graph looks at a face; the networks are trained at several. A second size gains 0.4 points for
# gender and 0.7 for ethnicity, a third 0.2 for gender: each costs as much as the first.
VIEW_SIZES_PX: Final = {"age": (80, FACE_SIZE_PX), "gender": (80, FACE_SIZE_PX, 112), "ethnicity": (80, FACE_SIZE_PX)}


class DeepFaceGraph(nn.Module):
    """(N, side, side, channels) float32 BGR (or grey) in 0..1 → probabilities (N, classes) of one attribute.

    Sizes between DeepFace's and the network's are bridged here, so that preprocessing stays DeepFace's. A face and its
    mirror image are both looked at, at one size or two, by every network, and the logits averaged.
    """

    def __init__(self, nets: Sequence[AttributeNet], attribute: str) -> None:
        super().__init__()
        self.attribute = attribute
        self.nets = nn.ModuleList([_answering(net, attribute) for net in nets])

    def forward(self, faces: Tensor) -> Tensor:
        images = faces.permute(0, 3, 1, 2)
        if self.attribute != "emotion":
            images = images.flip(1)  # BGR to RGB
        views = []
        for side in view_sizes_px(self.attribute):
            # DeepFace has blown a face's 96 px up to 224; points between pixels bring them back.
            view = F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
            views.append(torch.cat([view, view.flip(3)]))  # in one pass, which keeps the threads of a CPU busier
        logits = torch.cat([net(view)[self.attribute].unflatten(0, (2, -1)) for net in self.nets for view in views])
        return logits.mean(dim=0).softmax(dim=1)


def view_sizes_px(attribute: str) -> tuple[int, ...]:
    return VIEW_SIZES_PX.get(attribute, (EMOTION_SIZE_PX,))


def _answering(net: AttributeNet, attribute: str) -> AttributeNet:
    """A copy with one head, its norms folded into the convolutions before them."""
    net = copy.deepcopy(net).eval().float()
    net.heads = nn.ModuleDict({attribute: net.heads[attribute]})
    for module in net.modules():
        if isinstance(module, Conv):
            module.conv = fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()
    return net


def to_onnx(nets: Sequence[AttributeNet], attribute: str) -> bytes:
    """The graph for any number of faces, its larger weights stored in half precision."""
    graph = GRAPHS[attribute]
    example = torch.rand(2, graph.side_px, graph.side_px, graph.channels)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            DeepFaceGraph(nets, attribute).eval(),
            (example,),
            input_names=["faces"],
            output_names=[attribute],
            dynamic_shapes=({0: torch.export.Dim("count", min=1, max=4096)},),
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    program.save(buffer)
    model = onnx.load_from_string(buffer.getvalue())
    forget_sources(model)
    store_half(model)
    return bytes(model.SerializeToString())
