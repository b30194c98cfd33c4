"""Judge a bundle as it is served: the detector's own class, WIDER's own protocol, the mistakes behind the figure."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from services.detector.model import FaceDetector
from trainer.detector.backgrounds import face_free_pictures
from trainer.detector.operating_point import Judged, recall_by_height
from trainer.detector.wider_protocol import WIDER_WIDTH_PX, Curve, evaluate, load_truth
from trainer.detector.widerface import find_photo, read_annotations

PROTOCOL_CONFIDENCE = 0.01  # the curves need the doubtful end too
PROTOCOL_FACES = 1000


def detect_validation(detector: FaceDetector, widerface: Path, names: set[str] | None = None) -> list[Judged]:
    """Detections of WIDER's validation photos, or of those named (`event/photo`, with or without extension)."""
    wanted = {Path(name).stem for name in names} if names is not None else None
    judged = []
    annotations = list(read_annotations(widerface / "wider_face_split" / "wider_face_val_bbx_gt.txt"))
    for annotation in tqdm(annotations, desc="detect", unit="photo"):
        photo = find_photo(widerface / "WIDER_val" / "images", annotation.name)
        if photo is None or (wanted is not None and photo.stem not in wanted):
            continue
        image = read_rgb(photo)
        found = detector.detect(image, min_confidence=PROTOCOL_CONFIDENCE, max_faces=PROTOCOL_FACES)
        judged.append(Judged(photo, annotation, found, image.shape[1]))
    if not judged:
        raise FileNotFoundError(f"no validation photo under {widerface}")
    return judged


def wider_curves(judged: list[Judged], ground_truth: Path) -> dict[str, Curve]:
    """The official curves; photos smaller than published are scaled up to the ground truth's pixels."""
    found = {}
    for item in judged:
        scale = WIDER_WIDTH_PX / item.width_px
        boxes = item.found.boxes_xyxy.astype(np.float64) * scale
        sides = boxes[:, 2:] - boxes[:, :2]
        found[item.photo.stem] = np.column_stack([boxes[:, :2], sides, item.found.confidence.astype(np.float64)])
    return evaluate(found, load_truth(ground_truth, set(found)))


def alarm_confidences(detector: FaceDetector, widerface: Path | None) -> NDArray[np.float32]:
    """The highest confidence raised on each face-free picture, (N,); 0 where nothing is found at all."""
    highest = []
    for _, picture in tqdm(face_free_pictures(widerface), desc="false alarms", unit="picture"):
        confidence = detector.detect(picture, min_confidence=PROTOCOL_CONFIDENCE).confidence
        highest.append(float(confidence.max(initial=0.0)))
    return np.array(highest, dtype=np.float32)


def summary(
    judged: list[Judged], curves: dict[str, Curve], alarms: NDArray[np.float32], threshold: float
) -> dict[str, Any]:
    """Everything measured, as JSON; figures rounded to what they can carry."""
    return {
        "photos": len(judged),
        "average_precision": {name: round(curve.average_precision, 4) for name, curve in curves.items()},
        "faces": {name: curve.faces for name, curve in curves.items()},
        "threshold": threshold,
        "recall_by_height_px": [
            {"from": r.low_px, "below": r.high_px, "faces": r.faces, "recall": round(r.found / max(r.faces, 1), 3)}
            for r in recall_by_height(judged, threshold)
        ],
        "face_free_pictures": len(alarms),
        "false_alarm_rate": round(float((alarms >= threshold).mean()), 4) if len(alarms) else None,
    }


def read_rgb(photo: Path) -> NDArray[np.uint8]:
    """Pixels as stored (WIDER's boxes know no EXIF orientation). Raises ValueError for what cannot be decoded."""
    image = cv2.imread(str(photo), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError(f"{photo} cannot be decoded")
    return np.asarray(image, dtype=np.uint8)
