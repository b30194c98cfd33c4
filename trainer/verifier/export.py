"""A calibrated run → the bundle that services/verifier loads: fp32 ONNX with the mirror pass inside, golden, card."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from services.common.inference.bundle import Bundle, golden_case, write_bundle
from trainer.byte_weights import store_bytes
from trainer.half_weights import store_half
from trainer.onnx_notes import forget_sources
from trainer.verifier.card import card
from trainer.verifier.embedding import Embedder, load_tower, onnx_embedder
from trainer.verifier.golden import golden_chips
from trainer.verifier.state import CHECKPOINT
from trainer.verifier.trunk import TRUNK_ONNX, is_foreign, load_embedder

CALIBRATION = "calibration.json"
EVALUATION = "evaluation.json"
GOLDEN_TOLERANCE = 2e-3  # of a unit-length embedding's entries: other CPUs sum in other orders
LARGEST_DIFFERENCE = 1e-3  # float16 weights round an embedding's entries by about 1e-4


def export(run: Path, out: Path, name: str, version: str, licence: str, trained_on: str) -> Bundle:
    """Raises FileNotFoundError for a run not yet calibrated and evaluated, ValueError when ONNX Runtime disagrees."""
    for needed, verb in ((CALIBRATION, "calibrate"), (EVALUATION, "evaluate")):
        if not (run / needed).is_file():
            raise FileNotFoundError(f"{run} holds no {needed}: run `{verb}` first")
    calibrated = json.loads((run / CALIBRATION).read_text())
    metrics = json.loads((run / EVALUATION).read_text())
    reference = load_embedder(run, torch.device("cpu"), threads=1)
    with tempfile.TemporaryDirectory() as scratch:
        path = run / TRUNK_ONNX
        if not is_foreign(run):
            path = Path(scratch) / "model.onnx"
            write_onnx(run / CHECKPOINT, path)
        served = onnx_embedder(path, reference.input, reference.chip_side_px, threads=1)
        chips = golden_chips()
        _compare(reference, served, np.stack(list(chips.values())))
        golden = [
            golden_case(case, chip, {"embedding": served.embed(chip[None])[0]}, atol=GOLDEN_TOLERANCE)
            for case, chip in chips.items()
        ]
        meta: dict[str, Any] = {
            "task": "verifier",
            "name": name,
            "version": version,
            "input": reference.input.model_dump(),
            "parameters": calibrated["parameters"],
            "calibration": calibrated["calibration"],
            "metrics": metrics,
            "trained_on": trained_on,
            "licence": licence,
        }
        return write_bundle(out, onnx=path.read_bytes(), meta=meta, golden=golden, card=card(meta))


def write_onnx(checkpoint: Path, path: Path) -> None:
    """The run's network, which sees a face straight and mirrored, as one graph with a batch of any size."""
    network, _, input_px = load_tower(checkpoint)
    example = torch.zeros(2, 3, input_px, input_px)
    program = torch.onnx.export(
        network,
        (example,),
        input_names=["chips"],
        output_names=["embedding"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.optimize()
    model = program.model_proto
    forget_sources(model)
    store_bytes(model)
    store_half(model)
    onnx.save(model, str(path))


def _compare(reference: Embedder, served: Embedder, chips: np.ndarray) -> None:
    worst = float(np.abs(reference.embed(chips) - served.embed(chips)).max())
    if worst > LARGEST_DIFFERENCE:
        raise ValueError(f"the exported graph differs from the trained network by {worst:.2g}")
