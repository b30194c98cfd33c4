"""Views of a chip for dlib's network: moved, relit, degraded as faces in photos are: far, blurred, dark, covered."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from services.common.inference.boxes import CHIP_SIZE_PX
from trainer.attributes.augment import Augmentation, augment, plain
from trainer.verifier.dlib_tower import INPUT_PX, LEFT_PX, SIDE_PX, TOP_PX, normalise_dlib

VARIATION: Final = Augmentation(
    size_px=SIDE_PX,  # as many as the chip has there; enlarged at the end, as in serving
    window=SIDE_PX / CHIP_SIZE_PX,
    centre_xy=(
        (2 * LEFT_PX + SIDE_PX) / CHIP_SIZE_PX - 1,
        (2 * TOP_PX + SIDE_PX) / CHIP_SIZE_PX - 1,
    ),
    rotation_deg=10,
    scale=1.1,
    shift=0.03,
    smallest_px=11,  # a chip of 18 px
    low_resolution=0.3,
    grey=0.15,
    light=0.3,
    colour=0.12,
    erase=0.2,
)
BLURRED, NOISY, DARK = 0.12, 0.15, 0.12  # shares of the views
DARKEST: Final = 0.12
LOUDEST: Final = 10 / 255


def degraded_views(chips: Tensor) -> Tensor:
    """uint8 chips (N, 3, 160, 160) → (N, 3, 150, 150), each varied in its own way, as the network is fed."""
    x = augment(chips, VARIATION)
    with chips.device:
        for chosen in _some(len(x), BLURRED).chunk(2):
            if len(chosen):
                side = 2 * int(torch.randint(1, 4, ())) + 1
                x[chosen] = F.avg_pool2d(F.pad(x[chosen], (side // 2,) * 4, mode="replicate"), side, 1)
        dark = _some(len(x), DARK)
        x[dark] *= DARKEST + torch.rand(len(dark), 1, 1, 1) * (0.6 - DARKEST)
        noisy = _some(len(x), NOISY)
        x[noisy] += torch.randn_like(x[noisy]) * torch.rand(len(noisy), 1, 1, 1) * LOUDEST
    return _enlarged(x.clamp_(0, 1))


def clean_views(chips: Tensor) -> Tensor:
    """uint8 chips (N, 3, 160, 160) → (N, 3, 150, 150), as the network is fed."""
    return _enlarged(plain(chips, VARIATION))


def _enlarged(x: Tensor) -> Tensor:
    """Pictures (N, 3, 100, 100) in [0, 1] → (N, 3, 150, 150), as the network is fed."""
    x = x.contiguous(memory_format=torch.channels_last)
    return F.interpolate(normalise_dlib(x * 255), size=(INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)


def _some(count: int, share: float) -> Tensor:
    return torch.nonzero(torch.rand(count) < share).flatten()
