"""Chips → unit-length embeddings, by a run's network or any embedding ONNX, preprocessed as in serving."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import InputSpec
from services.verifier.preprocess import tower_input
from trainer.loop import CHECKPOINT
from trainer.verifier.config import config_from_dict
from trainer.verifier.dlib_tower import ChipEmbedding, dlib_spec
from trainer.verifier.final import TOWER, load_final
from trainer.verifier.network import BATCH, FlipEmbedding, Tower, embed_with, tower_spec
from trainer.verifier.scoring import unit_length

Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Embedder:
    """`embed`: uint8 chips (N, 160, 160, 3) → float32 (N, D) of unit length, as the bundle will do it."""

    name: str
    input: InputSpec
    chip_side_px: int
    embed: Embed


@dataclass(frozen=True)
class RunNetwork:
    """A run's network as it is exported: what it is fed → unit-length embeddings. `record` says how it came about."""

    network: nn.Module
    input: InputSpec
    chip_side_px: int
    record: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.record["config"]["name"])

    @property
    def people(self) -> tuple[str, ...]:
        """Names of the people it was trained on."""
        return tuple(self.record["split"]["train"])


def load_network(run: Path) -> RunNetwork:
    """What the run ships. Raises FileNotFoundError when it holds none yet."""
    if (run / TOWER).is_file():
        tower, record = load_final(run / TOWER)
        network = ChipEmbedding(tower).eval()
        return RunNetwork(network, dlib_spec(), CHIP_SIZE_PX, record["run"] | {"final": record})
    if not (run / CHECKPOINT).is_file():
        raise FileNotFoundError(f"{run} holds no {CHECKPOINT}: run `train`, or `calibrate --onnx FILE`")
    stored = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    record = json.loads(stored["description"])
    if record["config"]["name"] == "pretrained":
        raise FileNotFoundError(f"{run} holds no {TOWER}: let `train` come to its end, or run `choose`")
    config = config_from_dict(record["config"]).tower
    plain = Tower(config)
    state = {name.removeprefix("tower."): value for name, value in stored["average"].items() if "tower." in name}
    plain.load_state_dict(state)
    return RunNetwork(FlipEmbedding(plain).eval(), tower_spec(config.input_px), config.chip_side_px, record)


def network_embedder(run: RunNetwork) -> Embedder:
    """By the torch network itself: what its graph is compared with."""
    side, device = run.chip_side_px, torch.device("cpu")
    return Embedder(run.name, run.input, side, lambda chips: embed_with(run.network, chips, run.input, side, device))


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
