"""The detector as it is served beside Ultralytics' own predict: same weights, cores and photos, in one run."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm
from ultralytics import YOLO

from services.common.inference.bundle import load_bundle
from services.detector.engines import engines
from services.detector.model import Detections, FaceDetector
from trainer.detector.bundle_weights import load_folded
from trainer.detector.evaluate import PROTOCOL_CONFIDENCE, PROTOCOL_FACES, read_rgb, wider_curves
from trainer.detector.network import build_network
from trainer.detector.operating_point import Judged
from trainer.detector.widerface import find_photo, read_annotations

PHOTOS_A_TURN = 10
ULTRALYTICS = "Ultralytics predict, torch"

Picture = NDArray[np.uint8]
Detect = Callable[[Picture, float], Detections]  # RGB picture, lowest confidence


def compare(
    bundle_folder: Path, widerface: Path, ground_truth: Path, *, threads: int, limit: int | None = None
) -> dict[str, dict[str, Any]]:
    """Per contender: median ms a photo, times as fast as Ultralytics (of medians), and average precision.

    The pass for precision goes first and is what warms every contender up. In the second, at the bundle's own
    threshold, they take turns of some photos each, so that whatever else the machine does meets all of them.
    """
    bundle = load_bundle(bundle_folder)
    torch.set_num_threads(threads)
    detectors = [FaceDetector(bundle, threads, engine=engine) for engine in engines(bundle, threads)]
    threshold = detectors[0].default_confidence
    contenders: dict[str, Detect] = {ULTRALYTICS: _ultralytics(bundle_folder, detectors[0])}
    contenders |= {detector.engine.name: _served(detector) for detector in detectors}

    judged: dict[str, list[Judged]] = {name: [] for name in contenders}
    pictures: list[Picture] = []
    annotations = read_annotations(widerface / "wider_face_split" / "wider_face_val_bbx_gt.txt")
    for annotation in tqdm(list(annotations)[:limit], desc="precision", unit="photo"):
        photo = find_photo(widerface / "WIDER_val" / "images", annotation.name)
        if photo is None:
            continue
        pictures.append(read_rgb(photo))
        for name, detect in contenders.items():
            found = detect(pictures[-1], PROTOCOL_CONFIDENCE)
            judged[name].append(Judged(photo, annotation, found, pictures[-1].shape[1]))

    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    turns = [pictures[at : at + PHOTOS_A_TURN] for at in range(0, len(pictures), PHOTOS_A_TURN)]
    for turn in tqdm(turns, desc="speed", unit="turn"):
        for name, detect in contenders.items():
            detect(turn[0], threshold)  # threads of the one before may still be spinning
            for picture in turn:
                started = time.perf_counter()
                detect(picture, threshold)
                seconds[name].append(time.perf_counter() - started)

    reference = float(np.median(seconds[ULTRALYTICS]))
    return {
        name: {
            "median_ms": round(float(np.median(seconds[name])) * 1000, 1),
            "times_as_fast": round(reference / float(np.median(seconds[name])), 2),
            "average_precision": {
                subset: round(curve.average_precision, 4)
                for subset, curve in wider_curves(judged[name], ground_truth).items()
            },
        }
        for name in contenders
    }


def _served(detector: FaceDetector) -> Detect:
    return lambda picture, confidence: detector.detect(picture, min_confidence=confidence, max_faces=PROTOCOL_FACES)


def _ultralytics(bundle_folder: Path, detector: FaceDetector) -> Detect:
    """The bundle's weights in Ultralytics' own predictor, at the input size and suppression of the bundle."""
    parameters = detector.bundle.meta.parameters
    network = build_network(detector.bundle.meta.name.removeprefix("yolov8").removesuffix("-face"))
    load_folded(network, bundle_folder)
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch) / "face.pt"
        torch.save({"model": network, "train_args": {"task": "pose"}}, checkpoint)
        model = YOLO(checkpoint)
    settings = {"imgsz": parameters["long_side_px"], "iou": parameters["nms_iou"], "max_det": PROTOCOL_FACES}
    reversed_of: dict[int, Picture] = {}

    def detect(picture: Picture, confidence: float) -> Detections:
        # OpenCV's order is what Ultralytics wants; turning it is not part of what is timed after the first pass.
        bgr = reversed_of.setdefault(id(picture), np.ascontiguousarray(picture[..., ::-1]))
        answer = model.predict(bgr, conf=confidence, device="cpu", verbose=False, **settings)[0]
        boxes = answer.boxes.xyxy.numpy().reshape(-1, 4)
        landmarks = answer.keypoints.xy.numpy().reshape(-1, 5, 2)
        return Detections(boxes, answer.boxes.conf.numpy(), landmarks)

    return detect
