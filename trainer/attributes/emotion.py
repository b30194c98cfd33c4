"""The emotion network's training set, loss and predictions: FER2013's 48x48 grey faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.attributes.augment import Augmentation, plain
from trainer.attributes.fit import Targets
from trainer.attributes.labels import EMOTIONS
from trainer.attributes.network import EMOTION_SIZE_PX

LABEL_SMOOTHING = 0.1
# 436 disgusted faces beside 7,215 happy ones. The fourth root helps the rare class and costs the others little.
BALANCE_POWER = 0.25


class EmotionSet:
    """FER2013 as `prepare` wrote it, each face in two framings; `len` and `batch` are about the training part alone."""

    augmentation = Augmentation(
        size_px=EMOTION_SIZE_PX, rotation_deg=15, scale=1.2, shift=0.08, smallest_px=20, low_resolution=0.2, erase=0.4
    )
    mixup = 0.3

    def __init__(self, data: Path) -> None:
        stored = np.load(data / "emotion.npz")
        self.pixels: NDArray[np.uint8] = stored["pixels"]
        self.classes: NDArray[np.int64] = stored["classes"]
        self.aligned: NDArray[np.uint8] = stored["aligned"]
        self.found: NDArray[np.bool_] = stored["found"]
        self.held_out: NDArray[np.bool_] = stored["held_out"]
        self.training = np.flatnonzero(~self.held_out)
        counts = np.bincount(self.classes[self.training], minlength=len(EMOTIONS)).clip(min=1)
        weights = (counts.mean() / counts) ** BALANCE_POWER
        self.weights = torch.tensor(weights / np.average(weights, weights=counts), dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.training)

    def batch(self, indices: Tensor) -> tuple[Tensor, Targets]:
        chosen = self.training[indices.numpy()]
        classes = torch.from_numpy(self.classes[chosen])
        smooth = F.one_hot(classes, len(EMOTIONS)) * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / len(EMOTIONS)
        targets = {"emotion": smooth * self.weights[classes].unsqueeze(1)}
        # Every other face as serving frames it, the rest as FER2013 does.
        native = torch.rand(len(chosen)).numpy()[:, None, None] < 0.5
        pixels = np.where(native, self.pixels[chosen], self.aligned[chosen])
        return torch.from_numpy(pixels).unsqueeze(1), targets

    def loss(self, logits: Mapping[str, Tensor], targets: Targets) -> Tensor:
        target = targets["emotion"]
        return -(target * logits["emotion"].log_softmax(dim=1)).sum() / target.sum()


@torch.no_grad()
def predict_emotions(net: nn.Module, pixels: NDArray[np.uint8], size_px: int = EMOTION_SIZE_PX) -> NDArray[np.float32]:
    """Probabilities (N, 7) for grey faces (N, 48, 48)."""
    net.eval()
    how, device = replace(EmotionSet.augmentation, size_px=size_px), next(net.parameters()).device
    parts = []
    for part in torch.from_numpy(pixels).split(256):
        parts.append(net(plain(part.unsqueeze(1).to(device), how))["emotion"].softmax(dim=1).cpu())
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)
