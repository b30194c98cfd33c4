"""YOLOv8n's backbone, the trunk of the attribute networks."""

from __future__ import annotations

from torch import nn
from ultralytics.nn.modules import C2f, Conv

STRIDE_CHANNELS = {8: 64, 16: 128, 32: 256}
STRIDE_LAYERS = {8: 4, 16: 6, 32: 8}  # the layer whose output is the map of that stride


def yolov8n_backbone(channels: int = 3) -> nn.ModuleList:
    """Layers 0 to 8 of yolov8n.yaml, run one after the other; same indices, so that its state dict fits by name."""
    return nn.ModuleList(
        [
            Conv(channels, 16, 3, 2),
            Conv(16, 32, 3, 2),
            C2f(32, 32, 1, True),
            Conv(32, 64, 3, 2),
            C2f(64, 64, 2, True),
            Conv(64, 128, 3, 2),
            C2f(128, 128, 2, True),
            Conv(128, 256, 3, 2),
            C2f(256, 256, 1, True),
        ]
    )
