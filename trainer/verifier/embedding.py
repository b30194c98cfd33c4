"""Chips → unit-length embeddings, by a run's checkpoint or any embedding ONNX, preprocessed as in serving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from services.common.inference.bundle import InputSpec
from services.verifier.preprocess import tower_input
from trainer.byte_weights import round_large_matrices
from trainer.verifier.config import TrainConfig, config_from_dict
from trainer.verifier.network import FlipEmbedding, build_tower, tower_spec
from trainer.verifier.second_opinion import with_second_opinion

BATCH = 128
Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Embedder:
    """`embed`: uint8 chips (N, 160, 160, 3) → float32 (N, D) of unit length, as the bundle will do it."""

    name: str
    input: InputSpec
    chip_side_px: int
    embed: Embed


def embed_with(
    network: nn.Module, chips: NDArray[np.uint8], input_px: int, chip_side_px: int, device: torch.device
) -> NDArray[np.float32]:
    """Embeddings (N, D) of chips (N, 160, 160, 3) by a torch network in evaluation mode."""
    network.eval()
    vectors = []
    with torch.inference_mode():
        for start in range(0, len(chips), BATCH):
            x = tower_input(np.asarray(chips[start : start + BATCH]), tower_spec(input_px), chip_side_px)
            vectors.append(network(torch.from_numpy(x).to(device)).float().cpu().numpy())
    return unit_length(np.concatenate(vectors))


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def load_tower(checkpoint: Path) -> tuple[nn.Module, TrainConfig, int]:
    """A run's network, chips to unit-length embeddings, its config and the resolution it was trained at last.

    That is the averaged tower, and a second opinion where the run has one. Large matrices have the values that they
    are shipped with, so that what is measured is what will answer.
    """
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    config = config_from_dict(stored["config"])
    tower = build_tower(config.tower, stored["input_px"])
    tower.load_state_dict(stored["average"])
    network = with_second_opinion(FlipEmbedding(tower).eval(), config.tower, checkpoint.parent)
    round_large_matrices(network)
    return network, config, int(stored["input_px"])


def trained_people(checkpoint: Path) -> tuple[str, ...]:
    """Names of the people a run was trained on."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return tuple(stored["split"]["train"])


def checkpoint_embedder(checkpoint: Path, device: torch.device) -> Embedder:
    network, config, input_px = load_tower(checkpoint)
    network = network.to(device)
    chip_side = config.tower.chip_side_for(input_px)
    return Embedder(
        config.name,
        tower_spec(input_px),
        chip_side,
        lambda chips: embed_with(network, chips, input_px, chip_side, device),
    )


def onnx_embedder(path: Path, spec: InputSpec, chip_side_px: int, threads: int) -> Embedder:
    """Any graph with one picture input and the embedding as its first output."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    batch = BATCH if not isinstance(entry.shape[0], int) else entry.shape[0]

    def embed(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = (tower_input(np.asarray(chips[i : i + batch]), spec, chip_side_px) for i in range(0, len(chips), batch))
        vectors = [np.asarray(session.run(None, {entry.name: part})[0], dtype=np.float32) for part in x]
        return unit_length(np.concatenate(vectors).reshape(len(chips), -1))

    return Embedder(path.stem, spec, chip_side_px, embed)
