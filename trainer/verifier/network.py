"""The shared tower: a light residual network from an aligned face to a unit-length embedding."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from services.common.inference.bundle import InputSpec
from services.verifier.preprocess import tower_input
from trainer.verifier.config import TowerConfig
from trainer.verifier.scoring import unit_length

BATCH = 128


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; starts as the identity, since its last scale is zero."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.PReLU(channels_out),
            nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        last = self.body[-1]
        assert isinstance(last, nn.BatchNorm2d)
        nn.init.zeros_(last.weight)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity(),
                nn.Conv2d(channels_in, channels_out, 1, bias=False),
                nn.BatchNorm2d(channels_out),
            )
        self.activation = nn.PReLU(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


class Tower(nn.Module):
    """(N, 3, px, px) in [-1, 1] → (N, embedding), not yet of unit length.

    The head keeps the map's positions (flatten, not an average): on aligned faces, where a feature lies says who it is.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        channels = config.widths[0]
        layers: list[nn.Module] = [
            nn.Conv2d(3, channels, 5, 2, 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(channels),
        ]
        for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            for block in range(depth):
                layers.append(Residual(channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = width
        self.trunk = nn.Sequential(*layers)
        side = map_side(config)
        self.head = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Dropout(config.dropout),
            nn.Flatten(),
            nn.Linear(channels * side * side, config.embedding, bias=False),
            nn.BatchNorm1d(config.embedding),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.trunk(x))
        return out


def tower_spec(input_px: int) -> InputSpec:
    """What our own towers are fed: RGB in [-1, 1]."""
    return InputSpec(
        width_px=input_px, height_px=input_px, channels="rgb", layout="nchw", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )


def map_side(config: TowerConfig) -> int:
    """Side of the last feature map: one halving in the stem, one for each stage after the first."""
    side = config.input_px
    for _ in config.widths:
        side = -(-side // 2)
    return side


class FlipEmbedding(nn.Module):
    """What is exported: the face and its mirror image through one tower, summed, made unit length."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, x: Tensor) -> Tensor:
        straight, mirrored = halves(self.tower(with_mirrored(x)))
        return F.normalize(straight + mirrored, dim=1)


def with_mirrored(x: Tensor) -> Tensor:
    """(N, C, H, W) → (2N, C, H, W): the pictures, then their mirror images.

    Together in one pass, they keep the threads of a CPU busier than in two: a lone face costs a quarter less.
    """
    return torch.cat([x, torch.flip(x, dims=(3,))])


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """(2N, ...) → what came of N pictures, and of their mirror images."""
    straight, mirrored = x.unflatten(0, (2, -1))
    return straight, mirrored


def embed_with(
    network: nn.Module, chips: NDArray[np.uint8], spec: InputSpec, chip_side_px: int, device: torch.device
) -> NDArray[np.float32]:
    """Embeddings (N, D) of unit length, of chips (N, 160, 160, 3), by a torch network in evaluation mode."""
    network.eval()
    vectors = []
    with torch.inference_mode():
        for start in range(0, len(chips), BATCH):
            x = tower_input(np.asarray(chips[start : start + BATCH]), spec, chip_side_px)
            vectors.append(network(torch.from_numpy(x).to(device)).float().cpu().numpy())
    return unit_length(np.concatenate(vectors))
