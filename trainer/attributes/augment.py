"""Augmentation of a whole batch at once, on tensors: what a face in a photo goes through before we see it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augmentation:
    """Ranges; `window` is the side of the part that is looked at as a share of the stored picture's side, and
    `centre_xy` where its middle lies, from -1 (left, top) to 1."""

    size_px: int
    window: float = 1.0
    centre_xy: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 12.0
    scale: float = 1.15
    shift: float = 0.06
    smallest_px: int = 24
    low_resolution: float = 0.25
    grey: float = 0.1
    light: float = 0.3
    colour: float = 0.15
    erase: float = 0.4


def augment(pictures: Tensor, how: Augmentation) -> Tensor:
    """uint8 pictures (N, C, H, W) → float (N, C, size, size) in [0, 1], each changed in its own way, where they are."""
    with pictures.device:
        images = _move(pictures.float(), how) / 255
        images = _lose_resolution(images, how)
        images = _relight(images, how)
        return _erase(images, how)


def plain(pictures: Tensor, how: Augmentation) -> Tensor:
    """The same window without any change: what evaluation sees."""
    with pictures.device:
        transform = torch.eye(2, 3).repeat(len(pictures), 1, 1) * how.window
        transform[:, :, 2] = torch.tensor(how.centre_xy)
    return _sample(pictures.float(), transform, how.size_px) / 255


def _uniform(count: int, low: float, high: float) -> Tensor:
    return torch.empty(count).uniform_(low, high)


def _sample(images: Tensor, transform: Tensor, size_px: int) -> Tensor:
    grid = F.affine_grid(transform, [len(images), images.shape[1], size_px, size_px], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _move(images: Tensor, how: Augmentation) -> Tensor:
    count = len(images)
    angle = _uniform(count, -1, 1) * math.radians(how.rotation_deg)
    scale = how.window * torch.exp(_uniform(count, -1, 1) * math.log(how.scale))
    flip = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    x, y = (middle + _uniform(count, -how.shift, how.shift) * 2 for middle in how.centre_xy)
    # One transform a picture: mirrored, turned, scaled, shifted.
    transform = torch.stack(
        [
            torch.stack([cos * flip, -sin, x], dim=1),
            torch.stack([sin * flip, cos, y], dim=1),
        ],
        dim=1,
    )
    return _sample(images, transform, how.size_px)


def _lose_resolution(images: Tensor, how: Augmentation) -> Tensor:
    """A share of the batch is shrunk and blown up again, as a distant face is."""
    chosen = torch.nonzero(torch.rand(len(images)) < how.low_resolution).flatten()
    for part in chosen.chunk(4):
        if len(part):
            side = int(torch.randint(how.smallest_px, how.size_px + 1, ()))
            small = F.interpolate(images[part], size=(side, side), mode="area")
            images[part] = F.interpolate(small, size=images.shape[2:], mode="bilinear", align_corners=False)
    return images


def _relight(images: Tensor, how: Augmentation) -> Tensor:
    count, channels = images.shape[:2]
    shape = (count, 1, 1, 1)
    if channels == 3:
        luma = (images * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        saturation = _uniform(count, 1 - 2 * how.colour, 1 + 2 * how.colour).clamp(min=0)
        saturation[torch.rand(count) < how.grey] = 0
        images = luma + (images - luma) * saturation.view(shape)
        images = images * (1 + (torch.rand(count, 3, 1, 1) * 2 - 1) * how.colour * (saturation > 0).view(shape))
    contrast = _uniform(count, 1 - how.light, 1 + how.light).view(shape)
    brightness = _uniform(count, -how.light, how.light).view(shape) / 2
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return ((images - middle) * contrast + middle + brightness).clamp(0, 1)


def _erase(images: Tensor, how: Augmentation) -> Tensor:
    """A rectangle of up to 40 % of each side becomes one grey: a hand, a mask, a border."""
    size = images.shape[-1]
    for index in torch.nonzero(torch.rand(len(images)) < how.erase).flatten().tolist():
        height, width = (torch.rand(2) * 0.3 + 0.1).mul(size).int().tolist()
        top = int(torch.randint(0, size - height + 1, ()))
        left = int(torch.randint(0, size - width + 1, ()))
        images[index, :, top : top + height, left : left + width] = float(torch.rand(()))
    return images
