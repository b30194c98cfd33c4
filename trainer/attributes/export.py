"""`export`: two trained runs → four bundles, each with its graph, figures, golden cases and card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.analyzer.graphs import GRAPHS
from services.common.inference.boxes import CHIP_SIZE_PX, align_face
from services.common.inference.bundle import Bundle, golden_case, write_bundle
from trainer.attributes.as_served import ServedGraph
from trainer.attributes.card import CONFUSION_PICTURE, card, draw_confusion
from trainer.attributes.evaluate import evaluate_emotion, evaluate_faces
from trainer.attributes.fit import averaged_state
from trainer.attributes.graph import to_onnx, view_sizes_px
from trainer.attributes.network import AttributeNet, EmotionNet, FaceNet
from trainer.attributes.restore import restore
from trainer.loop import CHECKPOINT

LICENCE: Final = "AGPL-3.0-only; the training sets are for research use"
TRAINED_ON: Final = {
    "age": "FairFace (age bins) and UTKFace (years), face chips of 160 px; backbone begun from YOLOv8n's COCO weights",
    "gender": "FairFace and UTKFace, face chips of 160 px; backbone begun from YOLOv8n's COCO weights",
    "ethnicity": "FairFace and UTKFace (its four named groups), face chips of 160 px; backbone begun from YOLOv8n's "
    "COCO weights",
    "emotion": "FER2013's training faces, 48 px grey, each in two framings; backbone begun from YOLOv8n's COCO weights",
}
GOLDEN_TOLERANCE: Final = 0.02  # of a probability: processors sum in other orders, and DeepFace rounds to a resize
# The public-domain astronaut of scikit-image: eyes, nose, mouth corners as our detector finds them, pixels.
ASTRONAUT_LANDMARKS: Final = ((199.2, 101.6), (245.2, 101.4), (221.4, 127.5), (200.9, 149.1), (245.1, 146.5))


@dataclass(frozen=True)
class ExportSettings:
    emotion_run: Sequence[Path]
    faces_run: Sequence[Path]
    emotion_data: Path
    faces_data: Path
    out: Path
    version: str
    trained_on: Mapping[str, str]


def export(settings: ExportSettings) -> dict[str, Bundle]:
    """Writes `out`/{age,gender,ethnicity,emotion}. The figures are measured on the exported graphs."""
    emotion = [load_averaged(EmotionNet(), run) for run in settings.emotion_run]
    faces = [load_averaged(FaceNet(), run) for run in settings.faces_run]
    graphs = {name: to_onnx(emotion if name == "emotion" else faces, name) for name in GRAPHS}
    served = {name: ServedGraph(graph, name) for name, graph in graphs.items()}
    figures: dict[str, dict[str, Any]] = {
        **evaluate_faces({name: graph for name, graph in served.items() if name != "emotion"}, settings.faces_data),
        "emotion": evaluate_emotion(served["emotion"], settings.emotion_data),
    }
    networks = {name: len(emotion if name == "emotion" else faces) for name in GRAPHS}
    return {name: _write(name, graphs[name], networks[name], served[name], figures[name], settings) for name in GRAPHS}


def load_averaged(net: AttributeNet, run: Path) -> AttributeNet:
    """Averaged weights of a run, or those of a folder of bundles. Raises FileNotFoundError before a first epoch."""
    if any((run / head / "model.onnx").is_file() for head in net.heads):
        restore(net, run)
    else:
        net.load_state_dict(averaged_state(run / CHECKPOINT))
    net.eval()
    return net


def _write(
    attribute: str,
    onnx: bytes,
    networks: int,
    served: ServedGraph,
    figures: dict[str, Any],
    settings: ExportSettings,
) -> Bundle:
    graph = GRAPHS[attribute]
    meta: dict[str, Any] = {
        "task": attribute,
        "name": f"facekit-{attribute}",
        "version": settings.version,
        "input": {
            "width_px": graph.side_px,
            "height_px": graph.side_px,
            "channels": "bgr" if graph.channels == 3 else "grey",
            "layout": "nhwc",
        },
        "classes": graph.labels,
        "parameters": {
            "deepface_file": graph.file_name,
            "networks": networks,
            "view_sizes_px": list(view_sizes_px(attribute)),
        },
        "metrics": {name: value for name, value in figures.items() if name not in ("confusion", "by_group")},
        "trained_on": settings.trained_on.get(attribute, TRAINED_ON[attribute]),
        "licence": LICENCE,
    }
    golden = [
        golden_case(name, chip, {attribute: served.answer_chips(chip[None])[0].round(6)}, GOLDEN_TOLERANCE)
        for name, chip in golden_chips().items()
    ]
    folder = settings.out / attribute
    bundle = write_bundle(folder, onnx=onnx, meta=meta, golden=golden, card=card(attribute, meta, figures))
    draw_confusion(attribute, figures["confusion"], folder / CONFUSION_PICTURE)
    return bundle


def golden_chips() -> dict[str, NDArray[np.uint8]]:
    """A face, and a picture with a channel order and an up and down that cannot be mixed up."""
    from skimage import data

    face = align_face(np.asarray(data.astronaut(), dtype=np.uint8), np.array(ASTRONAUT_LANDMARKS, dtype=np.float32))
    ramp = np.linspace(0, 255, CHIP_SIZE_PX)
    columns, rows = np.meshgrid(ramp, ramp)
    return {"astronaut": face, "ramps": np.stack([rows, columns, 255 - rows * 0.5], axis=2).astype(np.uint8)}
