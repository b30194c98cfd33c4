"""Graphs of DeepFace's original architectures, all weights one number: their cost without their 1.6 GB."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from services.analyzer.graphs import GRAPHS

# VGG-Face (Parkhi et al. 2015), on which DeepFace builds age, gender and race: convolutions a block, then fc6 and fc7.
VGG_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
WEIGHT = 0.001


class _Layers:
    """Appends nodes one after the other; weights are made while loading, so that files stay small."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.shapes: dict[str, list[int]] = {}
        self.last = "planes"

    def node(self, kind: str, *more: str, **attributes: object) -> None:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.last, *more], [output], **attributes))
        self.last = output

    def weights(self, *shape: int) -> str:
        name = f"w{len(self.shapes)}"
        self.shapes[name] = list(shape)
        return name

    def convolution(self, channels_in: int, channels: int, kernel: int, *, padded: bool = True) -> None:
        weights = self.weights(channels, channels_in, kernel, kernel)
        self.node("Conv", weights, kernel_shape=[kernel] * 2, pads=[kernel // 2 if padded else 0] * 4)
        self.node("Relu")


def original_graph(attribute: str) -> bytes:
    """The architecture that DeepFace 0.0.103 loads for an attribute."""
    graph, layers = GRAPHS[attribute], _Layers()
    if attribute == "emotion":
        _emotion_layers(layers)
    else:
        _vgg_layers(layers, graph.classes)
    layers.node("Softmax", axis=1)
    made = [
        helper.make_node(
            "ConstantOfShape",
            [f"{name}_shape"],
            [name],
            value=helper.make_tensor("v", TensorProto.FLOAT, [1], [WEIGHT]),
        )
        for name in layers.shapes
    ]
    shapes = [numpy_helper.from_array(np.array(shape), f"{name}_shape") for name, shape in layers.shapes.items()]
    nodes = [helper.make_node("Transpose", ["faces"], ["planes"], perm=[0, 3, 1, 2]), *made, *layers.nodes]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            attribute,
            [
                helper.make_tensor_value_info(
                    "faces", TensorProto.FLOAT, ["n", graph.side_px, graph.side_px, graph.channels]
                )
            ],
            [helper.make_tensor_value_info(layers.last, TensorProto.FLOAT, ["n", graph.classes])],
            shapes,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    return bytes(model.SerializeToString())


def _vgg_layers(layers: _Layers, classes: int) -> None:
    channels_in = 3
    for convolutions, channels in VGG_BLOCKS:
        for _ in range(convolutions):
            layers.convolution(channels_in, channels, 3)
            channels_in = channels
        layers.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    layers.convolution(512, 4096, 7, padded=False)
    layers.convolution(4096, 4096, 1)
    layers.node("Conv", layers.weights(classes, 4096, 1, 1), kernel_shape=[1, 1])
    layers.node("Flatten")


def _emotion_layers(layers: _Layers) -> None:
    layers.convolution(1, 64, 5, padded=False)
    layers.node("MaxPool", kernel_shape=[5, 5], strides=[2, 2])
    for channels_in, channels in ((64, 64), (64, 128)):
        layers.convolution(channels_in, channels, 3, padded=False)
        layers.convolution(channels, channels, 3, padded=False)
        layers.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2])
    layers.node("Flatten")
    for features_in, features in ((128, 1024), (1024, 1024)):
        layers.node("MatMul", layers.weights(features_in, features))
        layers.node("Relu")
    layers.node("MatMul", layers.weights(1024, 7))
