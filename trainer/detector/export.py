"""A checkpoint -> a bundle: ONNX graph, default threshold, measured figures, golden cases and card.

Non-maximum suppression stays outside the graph: see trainer/detector/graph.py for why decoding does too.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray

from services.common.inference.boxes import iou_matrix
from services.common.inference.bundle import (
    BUNDLE_FILES,
    Bundle,
    GoldenCase,
    golden_case,
    load_bundle,
    replay_golden,
    write_bundle,
)
from services.detector.engines import Engine, engines, onnx_engine
from services.detector.model import FaceDetector
from trainer.detector.backgrounds import generated_picture
from trainer.detector.bundle_weights import average_with
from trainer.detector.card import card
from trainer.detector.evaluate import (
    PROTOCOL_CONFIDENCE,
    PROTOCOL_FACES,
    alarm_confidences,
    detect_validation,
    read_rgb,
    summary,
    wider_curves,
)
from trainer.detector.graph import FaceGraph, averaged_network, to_onnx
from trainer.detector.operating_point import Judged, choose_threshold

TRAINED_ON = "WIDER FACE training photos (research use); landmarks by a detector"
GOLDEN_TOLERANCE = 0.05  # px and confidence: convolutions sum in another order on another processor
PARITY_PHOTOS = 20
SAME_IOU = 0.9  # of a detection and its twin: another would overlap less, or be suppressed


@dataclass(frozen=True)
class ExportSettings:
    """What to export, as which version, and how it will look at photos."""

    checkpoint: Path
    bundle: Path
    version: str
    widerface: Path
    ground_truth: Path
    trained_on: str = TRAINED_ON
    min_confidence: float | None = None
    average_with: Path | None = None
    nms_iou: float = 0.6  # of 0.35 to 0.75, the best hard AP on the validation photos
    vote_iou: float = 0.65  # of 0.5, 0.65 and 0.8, the best medium AP on either half of them
    long_side_px: int = 640
    max_long_side_px: int = 2560
    threads: int = 2


def export(settings: ExportSettings) -> Bundle:
    """Write the bundle folder in one move; raises if golden cases or parity with torch do not hold."""
    network = averaged_network(settings.checkpoint)
    size = str(network.yaml["scale"])
    graph = FaceGraph(network)
    if settings.average_with is not None:
        average_with(graph.network, settings.average_with)
    meta: dict[str, Any] = {
        "task": "detector",
        "name": f"yolov8{size}-face",
        "version": settings.version,
        "input": {"width_px": 0, "height_px": 0, "channels": "rgb", "layout": "nchw"},
        "classes": ["face"],
        "parameters": {
            "min_confidence": 0.5,
            "nms_iou": settings.nms_iou,
            "vote_iou": settings.vote_iou,
            "long_side_px": settings.long_side_px,
            "max_long_side_px": settings.max_long_side_px,
        },
        "trained_on": settings.trained_on,
        "licence": "AGPL-3.0-only",
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        draft = write_bundle(folder, onnx=to_onnx(graph), meta=meta, golden=[_unrecorded()], card="draft\n")
        served = FaceDetector(draft, settings.threads)
        exact = FaceDetector(draft, settings.threads, engine=onnx_engine(draft, settings.threads))
        judged, judged_exactly = (detect_validation(one, settings.widerface) for one in (served, exact))
        # What one engine keeps quiet about must not be an alarm on a machine that runs the other.
        alarms = np.maximum(*(alarm_confidences(one, settings.widerface) for one in (served, exact)))
        threshold = settings.min_confidence if settings.min_confidence is not None else choose_threshold(judged, alarms)
        figures = summary(judged, wider_curves(judged, settings.ground_truth), alarms, threshold)
        figures["engine"] = served.engine.name
        figures["average_precision_float32"] = {
            name: round(curve.average_precision, 4)
            for name, curve in wider_curves(judged_exactly, settings.ground_truth).items()
        }
        figures["torch_parity"] = parity(draft, graph, judged_exactly[:PARITY_PHOTOS], settings.threads)
        meta["parameters"]["min_confidence"] = threshold
        meta["metrics"] = figures

        final = write_bundle(
            folder, onnx=draft.onnx_path.read_bytes(), meta=meta, golden=[_unrecorded()], card="draft\n"
        )
        cases = _golden_cases(FaceDetector(final, settings.threads, engine=onnx_engine(final, settings.threads)))
        final = write_bundle(folder, onnx=draft.onnx_path.read_bytes(), meta=meta, golden=cases, card=card(meta))
        for engine in engines(final, settings.threads):
            replay_golden(final, FaceDetector(final, settings.threads, engine=engine).replay, engine.slack)
        return _install(folder, settings.bundle)


def parity(bundle: Bundle, graph: FaceGraph, judged: list[Judged], threads: int) -> dict[str, float]:
    """The exported graph against torch on the same photos: largest differences, and photos where other detections stay.

    Those are left out of the differences: of two that are nearly equally sure, rounding decides which suppresses which.
    """
    reference = FaceDetector(bundle, threads, engine=torch_engine(graph))
    box_px, confidence, photos_differing = 0.0, 0.0, 0
    for item in judged:
        expected = reference.detect(read_rgb(item.photo), min_confidence=PROTOCOL_CONFIDENCE, max_faces=PROTOCOL_FACES)
        overlap = iou_matrix(expected.boxes_xyxy, item.found.boxes_xyxy)
        # Boxes of nearly the same area may change places in the order.
        twin = overlap.argmax(axis=1) if overlap.size else np.zeros(0, dtype=np.intp)
        if len(expected) != len(item.found) or (overlap.max(axis=1, initial=0.0) < SAME_IOU).any():
            photos_differing += 1
            continue
        box_px = max(box_px, float(np.abs(expected.boxes_xyxy - item.found.boxes_xyxy[twin]).max(initial=0)))
        confidence = max(confidence, float(np.abs(expected.confidence - item.found.confidence[twin]).max(initial=0)))
    return {
        "photos": len(judged),
        "box_px": round(box_px, 4),
        "confidence": round(confidence, 6),
        "photos_with_other_detections": photos_differing,
    }


def torch_engine(graph: FaceGraph) -> Engine:
    """The network as torch runs it, in the shape serving calls it."""

    def run(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        blob = cv2.dnn.blobFromImage(picture, scalefactor=1 / 255)  # (1, 3, H, W)
        with torch.inference_mode():
            scores, distances, landmarks = graph(torch.from_numpy(blob))
        return scores.numpy(), distances.numpy(), landmarks.numpy()

    return Engine("torch, float32", run)


def _golden_cases(detector: FaceDetector) -> list[GoldenCase]:
    """A photo with one face (scikit-image's astronaut, public domain) and a generated one without."""
    pictures = {
        "astronaut": np.ascontiguousarray(skimage.data.astronaut()[:224, 112:336]),
        "generated": generated_picture(np.random.default_rng(3))[:96, :128].copy(),
    }
    cases = []
    for name, image in pictures.items():
        answer = detector.replay(image)
        if not len(answer["confidence"]):  # JSON keeps no shape of an empty (0, 4)
            answer = {"confidence": answer["confidence"]}
        cases.append(golden_case(name, image, answer, GOLDEN_TOLERANCE))
    return cases


def _unrecorded() -> GoldenCase:
    return golden_case("unrecorded", np.zeros((32, 32, 3), dtype=np.uint8), {})


def _install(folder: Path, target: Path) -> Bundle:
    """Move a finished bundle's files into `target`, the graph and its sum last of all to differ for an instant only."""
    target.mkdir(parents=True, exist_ok=True)
    for name in BUNDLE_FILES:
        shutil.copyfile(folder / name, target / f".{name}.part")
    for name in BUNDLE_FILES:
        (target / f".{name}.part").replace(target / name)
    return load_bundle(target)
