"""dlib's ResNet-29 as a trainable tower, fed with our chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from services.common.bundle import InputSpec
from trainer.verifier.pretrained import EMBEDDING, POOLED, DlibWeights

INPUT_PX: Final = 150
# What the network looks at, in px of the chip: of 600 photos aligned by dlib's own five points and by our detector, the
# similarity between the two is a scale of 1.505, a turn of 0.3 degrees and this corner, to a fifth of a pixel.
LEFT_PX, TOP_PX, SIDE_PX = 30, 46, 100
# The centre of a chip that holds it: serving cuts around the centre.
WIDTH_PX: Final = 100
HEIGHT_PX: Final = 132
MEAN_RGB: Final = (122.782, 117.001, 104.298)
SCALE: Final = 256.0
# Filters and strides of the 28 convolutions after the first, two a block.
BLOCKS: Final = ((32, 1),) * 3 + ((64, 2),) + ((64, 1),) * 3 + ((128, 2),) + ((128, 1),) * 2 + ((256, 2),)
LAST_BLOCKS: Final = ((256, 1),) * 2 + ((256, 2),)


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut without weights: halved by averaging, missing channels are zeros."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 0 if stride == 2 else 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        self.stride, self.grown = stride, channels - channels_in

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x)))
        if self.stride == 2:
            x = F.avg_pool2d(x, 2)
            x = F.pad(x, (0, 0, 0, 0, 0, self.grown))
            y = F.pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))  # a convolution may end a px earlier
        return F.relu(x + y)


class DlibTower(nn.Module):
    """(N, 3, 150, 150), RGB as `normalise_dlib` gives it, or a chip's centre (N, 3, 132, 100) → (N, embedding)."""

    def __init__(self, embedding: int = EMBEDDING) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        blocks, channels = [], 32
        for width, stride in BLOCKS + LAST_BLOCKS:
            blocks.append(Block(channels, width, stride))
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(POOLED, embedding)

    def pooled(self, x: Tensor, frozen: int = 0) -> Tensor:
        """(N, 3, 150, 150) → (N, 256), the means of the last maps. The stem and the first `frozen` blocks, where there
        are any, get no gradients and cost less for it."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            x = self.blocks[:frozen](F.max_pool2d(F.relu(self.stem(x)), 3, 2))
        return self.blocks[frozen:](x).mean((2, 3))

    def forward(self, x: Tensor, frozen: int = 0) -> Tensor:
        return self.head(self.pooled(x, frozen))


class ChipEmbedding(nn.Module):
    """What is exported: a chip's centre (N, 3, 132, 100), cut, enlarged and embedded; of unit length.

    `mirrored` looks at the mirror image as well, for twice the time.
    """

    def __init__(self, tower: DlibTower, mirrored: bool) -> None:
        super().__init__()
        self.tower, self.mirrored = tower, mirrored

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, HEIGHT_PX - SIDE_PX :, :]
        x = F.interpolate(x, size=(INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)
        if self.mirrored:
            straight, mirror = self.tower(torch.cat([x, torch.flip(x, (3,))])).unflatten(0, (2, -1))
            return F.normalize(straight + mirror, dim=1)
        return F.normalize(self.tower(x), dim=1)


def dlib_spec() -> InputSpec:
    """The centre of the unshrunk chip, as dlib's network is fed."""
    mean = tuple(value / SCALE for value in MEAN_RGB)
    return InputSpec(
        width_px=WIDTH_PX, height_px=HEIGHT_PX, channels="rgb", layout="nchw", scale=SCALE, mean=mean, std=(1.0,) * 3
    )


def normalise_dlib(pixels: Tensor) -> Tensor:
    """Pixels (N, 3, H, W) 0 to 255 → as the network is fed."""
    return (pixels - pixels.new_tensor(MEAN_RGB).view(1, 3, 1, 1)) / SCALE


@torch.no_grad()
def fill(tower: DlibTower, weights: DlibWeights) -> None:
    """Gives the tower dlib's weights. Raises ValueError when a shape differs."""
    layers = [tower.stem, *(layer for block in tower.blocks for layer in (block.first, block.second))]
    for layer, given in zip(layers, weights.convolutions, strict=True):
        if layer.weight.shape != given.weight.shape or layer.stride[0] != given.stride:
            raise ValueError("the file holds another network than dlib's face network")
        layer.weight.copy_(torch.from_numpy(given.weight))
        layer.bias.copy_(torch.from_numpy(given.bias))
    tower.head.weight.copy_(torch.from_numpy(weights.head.T.copy()))
    tower.head.bias.zero_()


def tower_of(state: Mapping[str, Tensor]) -> DlibTower:
    """A tower with these weights, its embedding as long as the head's."""
    tower = DlibTower(state["head.weight"].shape[0])
    tower.load_state_dict(dict(state))
    return tower
