"""A run's network as the ONNX graph that is measured, shipped and served: one file, so that the three cannot differ."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx
import torch

from trainer.half_weights import store_half
from trainer.loop import CHECKPOINT
from trainer.onnx_notes import forget_sources
from trainer.verifier.embedding import load_network
from trainer.verifier.final import TOWER

GRAPH: Final = "model.onnx"


def run_graph(run: Path) -> Path:
    """The run's graph, written when there is none yet or when it is older than what it is made of.

    Raises FileNotFoundError when the run has nothing to make it of.
    """
    path = run / GRAPH
    made_of = [file for file in (run / TOWER, run / CHECKPOINT) if file.is_file()]
    if not path.is_file() or any(file.stat().st_mtime > path.stat().st_mtime for file in made_of):
        write_onnx(run, path)
    return path


def write_onnx(run: Path, path: Path) -> None:
    """The run's network with a batch of any size, large weights as float16."""
    shipped = load_network(run)
    example = torch.zeros(2, 3, shipped.input.height_px, shipped.input.width_px)
    program = torch.onnx.export(
        shipped.network,
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
    store_half(model)
    part = path.with_suffix(".part")
    onnx.save(model, str(part))
    part.replace(path)
