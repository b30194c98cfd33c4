"""DeepFace's graphs: what the files are called, what they take and give, and the folder DeepFace reads them from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.common.errors import WeightsUnavailable

DEEPFACE_VERSION: Final = "0.0.103"
FETCH_COMMAND: Final = "python -m scripts.deployment.fetch_deepface_graphs"
STACK_FETCH_COMMAND: Final = "docker compose run --rm graphs"
HOW_TO_FETCH: Final = f"Run `{FETCH_COMMAND}`, or `{STACK_FETCH_COMMAND}` in the stack"


@dataclass(frozen=True, slots=True)
class Graph:
    """One attribute's graph. Input float32 (N, side, side, channels) in 0..1, colours BGR; output (N, classes) whose
    columns are `labels`, ages 0 to 100 for age."""

    attribute: str
    client: str  # DeepFace's name of the model
    file_name: str
    side_px: int
    channels: int
    labels: tuple[str, ...]

    @property
    def classes(self) -> int:
        return len(self.labels)


GRAPHS: Final[Mapping[str, Graph]] = {
    graph.attribute: graph
    for graph in (
        Graph("age", "Age", "age_model_weights.onnx", 224, 3, tuple(str(age) for age in range(101))),
        Graph("gender", "Gender", "gender_model_weights.onnx", 224, 3, ("woman", "man")),
        Graph(
            "ethnicity",
            "Race",
            "race_model_single_batch.onnx",
            224,
            3,
            ("asian", "indian", "black", "white", "middle_eastern", "latino_hispanic"),
        ),
        Graph(
            "emotion",
            "Emotion",
            "facial_expression_model_weights.onnx",
            48,
            1,
            ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
        ),
    )
}


def weights_folder(home: Path) -> Path:
    """Where DeepFace looks for graphs when DEEPFACE_HOME is `home`."""
    return home / ".deepface" / "weights"


def lay_out(files: Mapping[str, Path], home: Path) -> None:
    """Puts graph files, by attribute, under DeepFace's names into `home`: links where the system has them."""
    folder = weights_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    for attribute, file in files.items():
        target = folder / GRAPHS[attribute].file_name
        target.unlink(missing_ok=True)
        try:
            target.symlink_to(file.absolute())
        except OSError:
            shutil.copyfile(file, target)


def graph_file(home: Path, attribute: str) -> Path:
    """The attribute's graph in `home`. Raises WeightsUnavailable, with the command that helps, when it is not there:
    DeepFace itself would start a download."""
    file = weights_folder(home) / GRAPHS[attribute].file_name
    if not file.is_file() or file.stat().st_size == 0:
        raise WeightsUnavailable(f"DeepFace's {file.name} is not on this machine. {HOW_TO_FETCH}, then try again.")
    return file


def check_contract(session: Any, attribute: str) -> None:
    """Runs one black picture through an ONNX Runtime session. Raises WeightsUnavailable for a graph that takes or
    gives another shape than DeepFace's, so that a wrong file says so and not a cryptic sentence of the runtime."""
    graph = GRAPHS[attribute]
    black = np.zeros((1, graph.side_px, graph.side_px, graph.channels), dtype=np.float32)
    try:
        output = session.run(None, {session.get_inputs()[0].name: black})[0]
    except Exception as error:
        raise WeightsUnavailable(
            f"{graph.file_name} takes another input than DeepFace's. {HOW_TO_FETCH} to replace it."
        ) from error
    if output.shape != (1, graph.classes):
        raise WeightsUnavailable(
            f"{graph.file_name} answers {output.shape}, not (1, {graph.classes}). {HOW_TO_FETCH} to replace it."
        )
