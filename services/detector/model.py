"""The face detector: a photo in, boxes, confidences and five landmarks a face out. Nothing here but arrays.

The graph holds the convolutions of YOLOv8 with a landmark head and answers for every anchor; decoding and
non-maximum suppression are here, in numpy, where they touch only the few anchors above the confidence asked for.

Input size: a photo is scaled to `long_side_px` and padded to its own shape in multiples of 32, not to a square. When
it has pixels left (1.5 times the input's) and the small faces found say there are more to find, or nothing was found,
it is looked at once more at twice the size, up to `max_long_side_px`, in overlapping tiles of bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from services.common.boxes import box_areas, clip_boxes, iou_matrix
from services.common.bundle import Bundle

STRIDES_PX: Final = (8, 16, 32)
PADDING_GREY: Final = 114
DISTANCE_BINS: Final = 16  # each side's distance from the anchor is a distribution over 0..15 strides
MAX_CANDIDATES: Final = 4000  # of one view, before suppression
TILE_PX: Final = 1280
TILE_OVERLAP_PX: Final = 192
MAX_ENLARGEMENT: Final = 1.5  # of a photo smaller than the input: blown up further, patterns start to look like faces
SPARE_PIXELS: Final = 1.5  # a second look needs a photo at least this much larger than the input was
SMALL_FACE_PX: Final = 16.0  # in the input; smaller ones are found with little certainty

Floats = NDArray[np.float32]
# image (1, 3, H, W) 0..1 -> scores (1, 1, A) 0..1, distances (1, 64, A), landmarks (1, 15, A)
Graph = Callable[[Floats], tuple[Floats, Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces of one photo, largest box first: boxes_xyxy (N, 4) px, confidence (N,) 0..1, landmarks_xy (N, 5, 2) px."""

    boxes_xyxy: Floats
    confidence: Floats
    landmarks_xy: Floats

    def __len__(self) -> int:
        return len(self.confidence)


class FaceDetector:
    """Runs one bundle on the CPU with ONNX Runtime; not shared between threads. Construct it where it runs."""

    def __init__(self, bundle: Bundle, threads: int, *, graph: Graph | None = None) -> None:
        """`graph` runs the network by something other than ONNX Runtime (another engine, torch in a parity check)."""
        self.bundle = bundle
        self._graph = graph if graph is not None else onnx_graph(bundle, threads)
        parameters = bundle.meta.parameters
        self.default_confidence = float(cast(float, parameters["min_confidence"]))
        self._nms_iou = float(cast(float, parameters["nms_iou"]))
        self._long_side_px = int(cast(int, parameters["long_side_px"]))
        self._max_long_side_px = int(cast(int, parameters["max_long_side_px"]))

    def detect(
        self, image_rgb: NDArray[np.uint8], *, min_confidence: float | None = None, max_faces: int = 1000
    ) -> Detections:
        """Faces of an upright photo (H, W, 3) uint8 RGB; of more than `max_faces` the largest are kept.

        `min_confidence` of None is the bundle's own threshold. Raises ValueError for another shape or type.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8 or not image_rgb.size:
            raise ValueError(f"a photo is (height, width, 3) uint8, not {image_rgb.shape} {image_rgb.dtype}")
        threshold = self.default_confidence if min_confidence is None else min_confidence
        height, width = image_rgb.shape[:2]
        long_side = self._long_side_px
        found = self._look(image_rgb, long_side, threshold)
        while self._worth_another_look(found, max(height, width), long_side):
            long_side *= 2
            finer = self._look(image_rgb, min(long_side, max(height, width)), threshold)
            found = self._suppress(_join([found, finer]))
        boxes = clip_boxes(found.boxes_xyxy, width, height)
        areas = box_areas(boxes)
        order = np.argsort(-areas, kind="stable")
        order = order[areas[order] > 0][:max_faces]
        return Detections(boxes[order], found.confidence[order], found.landmarks_xy[order])

    @property
    def label(self) -> str:
        """`name@version` of the bundle, as results name it."""
        return self.bundle.meta.label

    def replay(self, image_rgb: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
        """The named outputs that the bundle's golden cases record."""
        found = self.detect(image_rgb)
        return {"boxes_xyxy": found.boxes_xyxy, "confidence": found.confidence, "landmarks_xy": found.landmarks_xy}

    def warm_up(self) -> None:
        """One look at a blank photo, so that the first real one does not wait for allocations."""
        self.detect(np.zeros((self._long_side_px * 3 // 4, self._long_side_px, 3), dtype=np.uint8))

    def _worth_another_look(self, found: Detections, photo_px: int, long_side_px: int) -> bool:
        if long_side_px * 2 > self._max_long_side_px or photo_px < SPARE_PIXELS * long_side_px:
            return False
        sure = found.boxes_xyxy[found.confidence >= self.default_confidence]
        if not len(sure):
            return long_side_px == self._long_side_px
        sides_px = np.sqrt(box_areas(sure)) * (long_side_px / photo_px)
        return bool(sides_px.min() < SMALL_FACE_PX)

    def _look(self, image_rgb: NDArray[np.uint8], long_side_px: int, threshold: float) -> Detections:
        """Detections at one input size, in photo pixels."""
        height, width = image_rgb.shape[:2]
        scale = min(long_side_px / max(height, width), MAX_ENLARGEMENT)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = image_rgb
        if size != (width, height):
            scaled = np.asarray(cv2.resize(image_rgb, size, interpolation=how), dtype=np.uint8)
        views = [
            _without_cut_faces(self._view(scaled[tile], tile, threshold), tile, scaled.shape[:2])
            for tile in _tiles(*scaled.shape[:2])
        ]
        found = self._suppress(_join(views))
        ratio = np.array([width / size[0], height / size[1]], dtype=np.float32)
        return Detections(found.boxes_xyxy * np.tile(ratio, 2), found.confidence, found.landmarks_xy * ratio)

    def _view(self, view: NDArray[np.uint8], tile: tuple[slice, slice], threshold: float) -> Detections:
        """Detections of one network input before suppression, in pixels of the scaled photo."""
        height, width = view.shape[:2]
        padded = cv2.copyMakeBorder(
            view, 0, -height % 32, 0, -width % 32, cv2.BORDER_CONSTANT, value=(PADDING_GREY,) * 3
        )
        blob = np.asarray(cv2.dnn.blobFromImage(padded, scalefactor=1 / 255), dtype=np.float32)  # (1, 3, H, W)
        scores, distances, landmarks = self._graph(blob)
        found = _decode(scores[0, 0], distances[0], landmarks[0], blob.shape[2], blob.shape[3], threshold)
        offset = np.array([tile[1].start, tile[0].start], dtype=np.float32)
        return Detections(found.boxes_xyxy + np.tile(offset, 2), found.confidence, found.landmarks_xy + offset)

    def _suppress(self, found: Detections) -> Detections:
        """Non-maximum suppression: of boxes that overlap by more than `nms_iou`, the most confident stays."""
        order = np.argsort(-found.confidence, kind="stable")
        boxes = found.boxes_xyxy[order]
        alive = np.ones(len(order), dtype=bool)
        kept: list[int] = []
        for index in range(len(order)):
            if not alive[index]:
                continue
            kept.append(index)
            rest = index + 1 + np.flatnonzero(alive[index + 1 :])
            alive[rest] = iou_matrix(boxes[index : index + 1], boxes[rest])[0] <= self._nms_iou
        keep = order[kept]
        return Detections(found.boxes_xyxy[keep], found.confidence[keep], found.landmarks_xy[keep])


def onnx_graph(bundle: Bundle, threads: int) -> Graph:
    """The bundle's graph on the CPU, by ONNX Runtime with `threads` threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(bundle.onnx_path), options, providers=["CPUExecutionProvider"])

    def run(blob: Floats) -> tuple[Floats, Floats, Floats]:
        scores, distances, landmarks = session.run(["scores", "distances", "landmarks"], {"image": blob})
        return scores, distances, landmarks

    return run


def _decode(
    scores: Floats, distances: Floats, landmarks: Floats, height: int, width: int, threshold: float
) -> Detections:
    """Anchors above the threshold as detections, in pixels of the network's input of height x width.

    scores (A,) 0..1; distances (4 * 16, A) logits of left, top, right, bottom; landmarks (5 * 3, A) x, y, visibility.
    """
    keep = np.flatnonzero(scores >= threshold)
    if len(keep) > MAX_CANDIDATES:
        keep = keep[np.argsort(-scores[keep], kind="stable")[:MAX_CANDIDATES]]
    corners, strides = _anchors(height, width)
    corner, stride = corners[keep], strides[keep, None]  # (K, 2) in strides, (K, 1) px
    logits = distances[:, keep].reshape(4, DISTANCE_BINS, len(keep))
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = np.einsum("sbk,b->ks", weights, np.arange(DISTANCE_BINS, dtype=np.float32)) / weights.sum(axis=1).T
    centre = corner + 0.5
    boxes = np.concatenate([centre - expected[:, :2], centre + expected[:, 2:]], axis=1) * stride
    points = landmarks[:, keep].T.reshape(-1, 5, 3)[..., :2]
    landmarks_xy = (points * 2 + corner[:, None]) * stride[:, None]
    return Detections(boxes.astype(np.float32), scores[keep], landmarks_xy.astype(np.float32))


@lru_cache(maxsize=64)
def _anchors(height: int, width: int) -> tuple[Floats, Floats]:
    """Each anchor's cell corner (A, 2) x, y in strides, and its stride (A,) in pixels."""
    corners, strides = [], []
    for stride in STRIDES_PX:
        y, x = np.mgrid[: height // stride, : width // stride]
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) that cover height x width by overlapping pieces of at most TILE_PX; one piece when it fits."""
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            yield slice(top, bottom), slice(left, right)


def _spans(length: int) -> list[tuple[int, int]]:
    pieces = max(1, -(-(length - TILE_OVERLAP_PX) // (TILE_PX - TILE_OVERLAP_PX)))
    if pieces == 1:
        return [(0, length)]
    starts = np.linspace(0, length - TILE_PX, pieces).round().astype(int)
    return [(int(start), int(start) + TILE_PX) for start in starts]


def _without_cut_faces(found: Detections, tile: tuple[slice, slice], shape: tuple[int, ...]) -> Detections:
    """Drop boxes cut by a tile's inner edge: the tile beside it, or the look at half the size, shows them whole."""
    rows, columns = tile
    margin = 2
    x1, y1, x2, y2 = found.boxes_xyxy.T
    whole = np.ones(len(found), dtype=bool)
    if columns.start > 0:
        whole &= x1 > columns.start + margin
    if rows.start > 0:
        whole &= y1 > rows.start + margin
    if columns.stop < shape[1]:
        whole &= x2 < columns.stop - margin
    if rows.stop < shape[0]:
        whole &= y2 < rows.stop - margin
    return Detections(found.boxes_xyxy[whole], found.confidence[whole], found.landmarks_xy[whole])


def _join(parts: list[Detections]) -> Detections:
    return Detections(
        np.concatenate([part.boxes_xyxy for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.landmarks_xy for part in parts]),
    )
