"""The networks: YOLOv8n's backbone, which starts from what it learnt on COCO, and linear heads on pooled features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.attributes.labels import AGES, EMOTIONS, ETHNICITIES, GENDERS
from trainer.backbone import STRIDE_LAYERS, yolov8n_backbone

FACE_SIZE_PX = 96
EMOTION_SIZE_PX = 80


class AttributeNet(nn.Module):
    """(N, C, S, S) in [0, 1] → {head: logits (N, classes)}. Features: means of strides 16 and 32, 128 + 256 wide."""

    def __init__(self, channels: int, heads: Mapping[str, int], dropout: float = 0.3) -> None:
        super().__init__()
        self.backbone = yolov8n_backbone(channels)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(128 + 256, classes) for name, classes in heads.items()})

    def features(self, images: Tensor) -> Tensor:
        """(N, 384): what the heads see."""
        x, pooled = images, []
        for index, layer in enumerate(self.backbone):
            x = layer(x)
            if index in (STRIDE_LAYERS[16], STRIDE_LAYERS[32]):
                pooled.append(x.mean(dim=(2, 3)))
        return torch.cat(pooled, dim=1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        features = self.dropout(self.features(images))
        return {name: head(features) for name, head in self.heads.items()}


class EmotionNet(AttributeNet):
    """Grey faces (N, 1, S, S) in [0, 1] → {"emotion": logits (N, 7)}. Looks at 48x48 pictures blown up to 80."""

    def __init__(self) -> None:
        super().__init__(channels=1, heads={"emotion": len(EMOTIONS)})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        # Each picture to one mean and contrast: FER2013 runs from night scenes to overexposed ones.
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = (images - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return super().forward(0.45 + 0.25 * (images - mean) / (deviation + 0.02))


class FaceNet(AttributeNet):
    """RGB faces (N, 3, 96, 96) in [0, 1] → {"age": (N, 101), "gender": (N, 2), "ethnicity": (N, 6)} logits."""

    def __init__(self) -> None:
        super().__init__(channels=3, heads={"age": AGES, "gender": len(GENDERS), "ethnicity": len(ETHNICITIES)})


def load_backbone(net: AttributeNet, weights: Path) -> int:
    """Fills the backbone from a YOLOv8n checkpoint (a plain state dict, or Ultralytics' own .pt). Returns how many
    tensors fitted. A one-channel network takes the sum over colours, which is its answer to a grey picture."""
    state = _state_dict(weights)
    own = net.backbone.state_dict()
    fitted = {}
    for name, value in own.items():
        found = state.get(f"model.{name}")
        if found is None:
            continue
        found = found.to(value.dtype)
        if name == "0.conv.weight" and found.shape[1] == 3 and value.shape[1] == 1:
            found = found.sum(dim=1, keepdim=True)
        if found.shape == value.shape:
            fitted[name] = found
    net.backbone.load_state_dict({**own, **fitted})
    return len(fitted)


def _state_dict(weights: Path) -> Mapping[str, Tensor]:
    try:
        loaded = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception:
        # Ultralytics' own files hold a pickled model; its loader knows which classes to let through.
        from ultralytics import YOLO

        return dict(YOLO(str(weights)).model.state_dict())  # type: ignore[union-attr,operator]
    return loaded
