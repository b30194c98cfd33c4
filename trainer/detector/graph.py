"""A checkpoint's averaged network as an ONNX graph, and as the same function in torch."""

import io
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from ultralytics.nn.tasks import PoseModel

from trainer.detector.network import build_network
from trainer.onnx_notes import forget_sources

OUTPUTS = ("scores", "distances", "landmarks")


class FaceGraph(nn.Module):
    """image (1, 3, H, W) 0..1, sides multiples of 32 -> scores (1, 1, A), distances (1, 64, A), landmarks (1, 15, A).

    Scores are probabilities; the rest is as the last convolutions give it. Decoding every anchor inside the graph
    would be work for thousands of anchors of which a photo needs a few, and would fix the anchors' grid.
    """

    def __init__(self, network: PoseModel) -> None:
        super().__init__()
        self.network = network.fuse(verbose=False).eval()
        self.network.model[-1].training = True  # the head's raw answers; every layer below stays in eval mode

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raw = self.network(image)
        return raw["scores"].sigmoid(), raw["boxes"], raw["kpts"]


def averaged_network(checkpoint: Path) -> PoseModel:
    """The moving average of a run's weights, the ones to use."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = build_network(state["size"])
    network.load_state_dict(state["ema"])
    return network


def to_onnx(graph: FaceGraph) -> bytes:
    """The graph for any height and width."""
    buffer = io.BytesIO()
    height, width = (torch.export.Dim(name, min=1, max=256) * 32 for name in ("rows", "columns"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Exporting a model while it is in training mode")  # the head alone
        program = torch.onnx.export(
            graph,
            (torch.zeros(1, 3, 320, 416),),
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_shapes=({2: height, 3: width},),
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    program.save(buffer)
    model = onnx.load_from_string(buffer.getvalue())
    forget_sources(model)
    return bytes(model.SerializeToString())
