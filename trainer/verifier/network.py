"""The shared tower: a light residual network from an aligned face to a unit-length embedding."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from services.common.inference.bundle import InputSpec
from trainer.backbone import STRIDE_CHANNELS, STRIDE_LAYERS, yolov8n_backbone
from trainer.verifier.config import TowerConfig


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

    def __init__(self, config: TowerConfig, input_px: int | None = None) -> None:
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
        self.input_px = input_px or config.input_px
        side = map_side(config, self.input_px)
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


class BackboneTower(nn.Module):
    """(N, 3, px, px) in [-1, 1] → (N, embedding), not yet of unit length: YOLOv8n's backbone, positions kept.

    The maps of strides 8 (halved), 16 and 32 are all read: finer ones hold texture, coarser ones shape.
    """

    def __init__(self, config: TowerConfig, input_px: int | None = None) -> None:
        super().__init__()
        self.input_px = input_px or config.input_px
        self.backbone = yolov8n_backbone()
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels) for channels in STRIDE_CHANNELS.values()])
        sides = (math.ceil(self.input_px / 16), math.ceil(self.input_px / 16), math.ceil(self.input_px / 32))
        values = sum(c * side * side for c, side in zip(STRIDE_CHANNELS.values(), sides, strict=True))
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(values, config.embedding, bias=False),
            nn.BatchNorm1d(config.embedding),
        )

    def maps(self, x: Tensor) -> list[Tensor]:
        """(N, 64, px/16, px/16), (N, 128, px/16, px/16), (N, 256, px/32, px/32)."""
        x, found = x * 0.5 + 0.5, {}  # the backbone learned on [0, 1]
        for index, layer in enumerate(self.backbone):
            x = layer(x)
            found[index] = x
        fine, middle, coarse = (found[STRIDE_LAYERS[stride]] for stride in STRIDE_CHANNELS)
        return [F.avg_pool2d(fine, 2, ceil_mode=True), middle, coarse]

    def forward(self, x: Tensor) -> Tensor:
        normed = [norm(each).flatten(1) for norm, each in zip(self.norms, self.maps(x), strict=True)]
        out: Tensor = self.head(torch.cat(normed, dim=1))
        return out


AnyTower = Tower | BackboneTower


def tower_spec(input_px: int) -> InputSpec:
    """What our own towers are fed: RGB in [-1, 1]."""
    return InputSpec(
        width_px=input_px, height_px=input_px, channels="rgb", layout="nchw", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )


def build_tower(config: TowerConfig, input_px: int | None = None) -> AnyTower:
    return BackboneTower(config, input_px) if config.trunk == "backbone" else Tower(config, input_px)


def map_side(config: TowerConfig, input_px: int) -> int:
    """Side of the last feature map: one halving in the stem, one for each stage after the first."""
    side = input_px
    for _ in config.widths:
        side = -(-side // 2)
    return side


def fit_head(state: dict[str, Tensor], tower: Tower | BackboneTower) -> dict[str, Tensor]:
    """Weights of a tower of another resolution, the head's map stretched to this one's; a backbone's as they are."""
    if isinstance(tower, BackboneTower):
        return state
    key = "head.3.weight"
    wanted = tower.state_dict()[key].shape
    channels = tower.state_dict()["head.0.weight"].shape[0]
    given_side, wanted_side = (round((width // channels) ** 0.5) for width in (state[key].shape[1], wanted[1]))
    if given_side == wanted_side:
        return state
    maps = state[key].view(-1, channels, given_side, given_side)
    stretched = F.interpolate(maps, size=wanted_side, mode="bilinear", align_corners=True)
    return {**state, key: (stretched * (given_side / wanted_side) ** 2).reshape(wanted)}


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
