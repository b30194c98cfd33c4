"""The analyzer over DeepFace's own graphs, `FACEKIT_ANALYZER_GRAPHS=deepface`: no bundle, and no registry to follow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from services.analyzer.graphs import DEEPFACE_VERSION, FETCH_COMMAND, GRAPHS, Graph
from services.analyzer.model import FaceAnalyzer
from services.analyzer.stage import AnalyzerStage
from services.common.inference.bundle import Bundle
from services.common.settings import Settings

CARD: Final = """# deepface-{attribute} {version}

DeepFace's own graph `{file}`, as its authors publish it; `{command}` brings it. This project neither trained nor
measured it, and checks no more than its inputs and outputs: see DeepFace's documentation for what it was trained on and
how well it does. An estimate of how a face looks in one photo, not a fact about a person.
"""


def _view(graph: Graph) -> dict[str, Any]:
    """schemas.ModelView without `workers`. No checksum: which file lies there is known only when it is asked for."""
    card = CARD.format(attribute=graph.attribute, version=DEEPFACE_VERSION, file=graph.file_name, command=FETCH_COMMAND)
    return {
        "task": graph.attribute,
        "name": f"deepface-{graph.attribute}",
        "version": DEEPFACE_VERSION,
        "stage": AnalyzerStage.spec.name,
        "metrics": {},
        "parameters": {"deepface_file": graph.file_name},
        "trained_on": "not known to this project: see DeepFace's documentation",
        "licence": "MIT, as DeepFace; see its documentation for the weights",
        "sha256": None,
        "card": card,
    }


class DeepFaceStage(AnalyzerStage):
    """The same work on a job with other graphs."""

    bundle_folders: Mapping[str, Path] = {}
    unbundled: Mapping[str, Mapping[str, Any]] = {attribute: _view(graph) for attribute, graph in GRAPHS.items()}

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> FaceAnalyzer:
        """Takes `deepface_home`, or the user's home as DeepFace does. A graph that is missing is a job's trouble."""
        home = settings.deepface_home or Path.home()
        model = FaceAnalyzer.with_deepface_graphs(home, settings.threads, device=settings.device)
        model.warm_up()
        return model
