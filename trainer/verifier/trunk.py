"""A run folder's network: our own checkpoint, or a user's embedding ONNX with what it is fed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from services.common.inference.bundle import InputSpec
from trainer.verifier.embedding import Embedder, load_network, onnx_embedder
from trainer.verifier.graph import run_graph

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


def graph_of(run: Path) -> Path:
    """The ONNX file that a run ships. Raises FileNotFoundError when the folder holds no network, ours or foreign."""
    return run / TRUNK_ONNX if is_foreign(run) else run_graph(run)


def load_embedder(run: Path, threads: int) -> Embedder:
    """Chips → embeddings by the graph that the run ships. Raises FileNotFoundError as `graph_of`."""
    if is_foreign(run):
        note = json.loads((run / TRUNK_SPEC).read_text())
        spec, side = InputSpec.model_validate(note["input"]), int(note["chip_side_px"])
    else:
        network = load_network(run)
        spec, side = network.input, network.chip_side_px
    return onnx_embedder(graph_of(run), spec, side, threads)


def people_trained_on(run: Path) -> tuple[str, ...]:
    """Names of the people our own checkpoint has seen; a foreign network's are not known, and none are named."""
    return () if is_foreign(run) else load_network(run).people
