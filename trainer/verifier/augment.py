"""Random variation of a batch of chips: one warp, then light, resolution and occlusion. All on tensors, seeded."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.verifier.config import AugmentConfig


def normalise(pixels: Tensor) -> Tensor:
    """uint8 or float pixels 0..255 → [-1, 1], as the bundle's input says (mean and std 0.5)."""
    return (pixels.float() - 127.5) / 127.5


def augment(chips: Tensor, side_px: int, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Shrunk chips uint8 (N, H, W, 3) → varied (N, 3, side, side) in about [-1, 1]."""
    x = _warp(chips.permute(0, 3, 1, 2).float(), side_px, config, rng)
    x = _relight(normalise(x), config, rng)
    x = _lower_resolution(x, config.low_resolution, rng)
    return _occlude(x, config.occlusion, rng)


def _warp(x: Tensor, side_px: int, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Rotation, zoom, shift and mirror in one resampling around the chip's centre."""
    n, channels, height, _ = x.shape
    angle = _signed((n,), rng) * math.radians(config.rotation_deg)
    zoom = torch.exp(_signed((n,), rng) * config.zoom) * (side_px / height)
    shift = _signed((n, 2), rng) * config.shift
    mirror = torch.where(torch.rand(n, generator=rng) < config.flip, -1.0, 1.0)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], dim=1)
    grid = F.affine_grid(rows.view(n, 2, 3), [n, channels, side_px, side_px], align_corners=False)
    return F.grid_sample(x, grid.to(x.device), padding_mode="zeros", align_corners=False)


def _relight(x: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    shape = (len(x), 1, 1, 1)
    grey = x.mean(1, keepdim=True)
    colour = torch.where(torch.rand(shape, generator=rng) < config.grey, 0.0, 1 + _signed(shape, rng) * config.contrast)
    contrast = 1 + _signed(shape, rng) * config.contrast
    brightness = _signed(shape, rng) * config.brightness
    x = grey + (x - grey) * colour.to(x.device)
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) * contrast.to(x.device) + mean + brightness.to(x.device)


def _lower_resolution(x: Tensor, probability: float, rng: torch.Generator) -> Tensor:
    """Some photos as if taken from afar: shrunk to 1/3..2/3 and back."""
    chosen = (torch.rand(len(x), generator=rng) < probability).nonzero().flatten()
    if not len(chosen):
        return x
    side = x.shape[2]
    small = int(torch.randint(side // 3, side * 2 // 3 + 1, (1,), generator=rng))
    shrunk = F.interpolate(x[chosen], size=small, mode="area")
    x[chosen] = F.interpolate(shrunk, size=side, mode="bilinear", align_corners=False)
    return x


def _occlude(x: Tensor, probability: float, rng: torch.Generator) -> Tensor:
    """A grey rectangle, 1/6 to 1/2 of each side, somewhere on some photos."""
    n, side = len(x), x.shape[2]
    shape = (n, 1, 1, 1)
    centre_x, centre_y = torch.rand(shape, generator=rng) * side, torch.rand(shape, generator=rng) * side
    half_w, half_h = (side * (1 / 12 + torch.rand(shape, generator=rng) / 6) for _ in range(2))
    chosen = torch.rand(shape, generator=rng) < probability
    along = torch.arange(side)
    inside_x = (along.view(1, 1, 1, -1) - centre_x).abs() < half_w
    inside_y = (along.view(1, 1, -1, 1) - centre_y).abs() < half_h
    return x.masked_fill((chosen & inside_x & inside_y).to(x.device), 0.0)


def _signed(shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=rng) * 2 - 1
