"""A file in dlib's format with random weights: the reader is tested where the package is not installed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trainer.verifier.dlib_tower import BLOCKS, LAST_BLOCKS


def number(value: int) -> bytes:
    """dlib's compact integer: sign bit and byte count, then the bytes from the lowest."""
    size = (abs(value).bit_length() + 7) // 8
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def tensor(values: NDArray[np.float32], *shape: int) -> bytes:
    assert math.prod(shape) == len(values)
    return number(2) + b"".join(number(side) for side in shape) + values.astype("<f4").tobytes()


def dlib_file(seed: int = 1) -> bytes:
    """The 29 convolutions with their affine layers, and the last matrix; other layers' letters in between."""
    rng = np.random.default_rng(seed)
    layers = [(32, 3, 7, 2, 0)]
    channels = 32
    for width, stride in BLOCKS + LAST_BLOCKS:
        layers += [(width, channels, 3, stride, 0 if stride == 2 else 1), (width, width, 3, 1, 1)]
        channels = width
    parts = []
    for turn, (filters, given, side, stride, padding) in enumerate(layers):
        weights = rng.normal(0, np.sqrt(1.0 / (given * side * side)), filters * given * side * side)
        values = np.concatenate([weights, np.zeros(filters)]).astype(np.float32)
        parts += [b"con_5" if turn % 2 else b"con_4", tensor(values, len(values), 1, 1, 1)]
        parts += [number(value) for value in (filters, side, side, stride, stride, padding, padding, 1, 1)]
        affine = np.concatenate([np.ones(filters), np.full(filters, 0.01)]).astype(np.float32)
        parts += [b"relu_", b"affine_2" if turn % 3 else b"affine_", tensor(affine, len(affine), 1, 1, 1)]
    head = rng.normal(0, 0.1, 256 * 128).astype(np.float32)
    parts += [b"avg_pool_2", b"fc_2", number(128), number(256), tensor(head, 256, 128, 1, 1), number(0)]
    return b"".join(parts)
