"""dlib's ResNet-29 as a trainable tower, fed with our chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from services.common.inference.bundle import InputSpec
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
# The blocks whose maps are read beside the last one's: 8x8 px of 128 channels, and 4x4 px of 256.
MIDDLE, COARSE = 9, 12
MAP_VALUES: Final = 4 * 4 * 128 + 4 * 4 * 256 + 2 * 2 * 256


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
    """(N, 3, 150, 150), RGB as `normalise_dlib` gives it → (N, embedding), of no particular length.

    Two parts side by side. `own` reads the means of the last maps, as dlib's does. `learned`, where there is one, reads
    the maps of three stages with their positions, which hold what the means have lost; it answers as a second teacher
    does. Each part is of unit length times its share.
    """

    def __init__(self, learned: int = 0, shares: tuple[float, float] = (1.0, 0.0)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        blocks, channels = [], 32
        for width, stride in BLOCKS + LAST_BLOCKS:
            blocks.append(Block(channels, width, stride))
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.own = nn.Linear(POOLED, EMBEDDING)
        self.learned = nn.Linear(MAP_VALUES, learned) if learned else None
        self.register_buffer("shares", torch.tensor(shares))

    def maps(self, x: Tensor, frozen: int = 0) -> Tensor:
        """(N, 3, 150, 150) → (N, 7168): 4x4 maps of 128 and of 256 channels, then the last 2x2 of 256. The stem and the
        first `frozen` blocks, where there are any, get no gradients and cost less for it."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            x = self.blocks[:frozen](F.max_pool2d(F.relu(self.stem(x)), 3, 2))
        middle = self.blocks[frozen : MIDDLE + 1](x)
        coarse = self.blocks[MIDDLE + 1 : COARSE + 1](middle)
        last = self.blocks[COARSE + 1 :](coarse)
        return torch.cat([F.avg_pool2d(middle, 2).flatten(1), coarse.flatten(1), last.flatten(1)], dim=1)

    def parts(self, x: Tensor, frozen: int = 0) -> list[Tensor]:
        """What `own` and `learned` answer, (N, 128) and (N, learned), before lengths and shares."""
        maps = self.maps(x, frozen).float()
        # Always in float32: the maps are alike from face to face, and their differences drown in bfloat16's steps.
        with torch.autocast(x.device.type, enabled=False):
            return self._read(maps)

    def _read(self, maps: Tensor) -> list[Tensor]:
        pooled = maps[:, -4 * POOLED :].unflatten(1, (POOLED, 4)).mean(2)
        return [self.own(pooled)] if self.learned is None else [self.own(pooled), self.learned(maps)]

    def forward(self, x: Tensor, frozen: int = 0) -> Tensor:
        parts = [F.normalize(part.float(), dim=1) for part in self.parts(x, frozen)]
        if self.learned is None:
            return parts[0]
        return torch.cat([share * part for share, part in zip(self.shares, parts, strict=True)], dim=1)


class ChipEmbedding(nn.Module):
    """What is exported: a chip's centre (N, 3, 132, 100), cut, enlarged and embedded; of unit length.

    One pass. The mirror image as well would double the time, and it finds few more: it is in the teachers' answers.
    """

    def __init__(self, tower: DlibTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, HEIGHT_PX - SIDE_PX :, :]
        x = F.interpolate(x, size=(INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)
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
    tower.own.weight.copy_(torch.from_numpy(weights.head.T.copy()))
    tower.own.bias.zero_()


def tower_of(state: Mapping[str, Tensor]) -> DlibTower:
    """A tower with these weights, with a learned part where they hold one."""
    tower = DlibTower(len(state["learned.bias"]) if "learned.bias" in state else 0)
    tower.load_state_dict(dict(state))
    return tower
