"""A run folder's network: our own checkpoint, or a user's embedding ONNX with what it is fed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from services.common.bundle import InputSpec
from trainer.verifier.embedding import Embedder, load_network, network_embedder, onnx_embedder

TRUNK_ONNX = "trunk.onnx"
TRUNK_SPEC = "trunk.json"


def adopt_onnx(run: Path, onnx: Path, spec: InputSpec, chip_side_px: int) -> None:
    """Makes `run` a run of a foreign network: the file is copied beside a note of its input."""
    run.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(onnx, run / TRUNK_ONNX)
    note = {"name": onnx.stem, "input": spec.model_dump(mode="json"), "chip_side_px": chip_side_px}
    (run / TRUNK_SPEC).write_text(json.dumps(note, indent=1) + "\n")


def is_foreign(run: Path) -> bool:
    return (run / TRUNK_SPEC).is_file()


def load_embedder(run: Path, device: torch.device, threads: int) -> Embedder:
    """Raises FileNotFoundError when the folder holds neither a network of ours nor a foreign one."""
    if is_foreign(run):
        note = json.loads((run / TRUNK_SPEC).read_text())
        spec = InputSpec.model_validate(note["input"])
        return onnx_embedder(run / TRUNK_ONNX, spec, int(note["chip_side_px"]), threads)
    return network_embedder(load_network(run), device)


def people_trained_on(run: Path) -> tuple[str, ...]:
    """Names of the people our own checkpoint has seen; a foreign network's are not known, and none are named."""
    return () if is_foreign(run) else load_network(run).people
