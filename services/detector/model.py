"""The face detector: a photo in, boxes, confidences and five landmarks a face out. Nothing here but arrays.

The graph holds the convolutions of YOLOv8 with a landmark head and answers for every anchor; decoding and
non-maximum suppression are outside, in numpy, where they touch only the few anchors above the confidence asked for.

How a photo is looked at: scaled to `long_side_px` and padded to its own shape in multiples of 32, not to a square. Then
- once more at half that size when nothing was found or something is LARGE_FACE_PX or more in the input: a face that
  fills the frame is beyond what the network takes in at once, and falls to pieces. Costs a quarter of a look.
- once more at twice the size when the photo has the pixels for it (SPARE_PIXELS times the input's) and small faces, or
  nothing at all, were found; again at four times, up to `max_long_side_px`, in tiles. Costs 4 and 16 looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.inference.boxes import box_areas, clip_boxes
from services.common.inference.bundle import Bundle
from services.detector.anchors import STRIDES_PX, decode
from services.detector.detections import Detections, Floats, join, suppress, without_parts_of
from services.detector.engines import Engine, engines
from services.detector.tiles import Tile, tiles

__all__ = ["Detections", "Engine", "FaceDetector"]

PADDING_GREY: Final = 114
MAX_ENLARGEMENT: Final = 1.5  # of a photo smaller than the input: blown up further, patterns start to look like faces
SPARE_PIXELS: Final = 1.5
SMALL_FACE_PX: Final = 16.0  # in the input; smaller ones are found with little certainty
LARGE_FACE_PX: Final = 256.0  # in the input
PART_SHARE: Final = 0.7  # of a box inside a surer large face: a piece of that face


class FaceDetector:
    """Runs one bundle; safe to call from several threads. Construct it where it runs."""

    def __init__(self, bundle: Bundle, threads: int, *, engine: Engine | None = None) -> None:
        """`engine` runs the network; by default the one that suits this CPU best."""
        self.bundle = bundle
        self.engine = engine if engine is not None else next(engines(bundle, threads))
        parameters = bundle.meta.parameters
        self.default_confidence = float(cast(float, parameters["min_confidence"]))
        self._nms_iou = float(cast(float, parameters["nms_iou"]))
        self._vote_iou = float(cast(float, parameters.get("vote_iou", 1.0)))
        self._long_side_px = int(cast(int, parameters["long_side_px"]))
        self._max_long_side_px = int(cast(int, parameters["max_long_side_px"]))

    def detect(
        self, image_rgb: NDArray[np.uint8], *, min_confidence: float | None = None, max_faces: int = 1000
    ) -> Detections:
        """Faces of an upright photo (H, W, 3) uint8 RGB, largest box first; of more than `max_faces` the largest stay.

        `min_confidence` of None is the bundle's own threshold. Raises ValueError for another shape or type.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8 or not image_rgb.size:
            raise ValueError(f"a photo is (height, width, 3) uint8, not {image_rgb.shape} {image_rgb.dtype}")
        threshold = self.default_confidence if min_confidence is None else min_confidence
        height, width = image_rgb.shape[:2]
        found = self._look(image_rgb, self._long_side_px, threshold)
        found = self._with_large_faces(image_rgb, found, threshold)
        found = self._with_small_faces(image_rgb, found, threshold)
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

    def _with_large_faces(self, image_rgb: NDArray[np.uint8], found: Detections, threshold: float) -> Detections:
        """Sure large faces from a look at half the size, in place of the pieces they fell into."""
        scale = self._scale(image_rgb, self._long_side_px)
        sides_px = self._sure_sides_px(found) * scale
        if len(sides_px) and sides_px.max() < LARGE_FACE_PX:
            return found
        coarse = self._look(image_rgb, self._long_side_px // 2, max(threshold, self.default_confidence))
        large = coarse.take(np.sqrt(box_areas(coarse.boxes_xyxy)) * scale >= LARGE_FACE_PX)
        return suppress(join([without_parts_of(found, large, PART_SHARE), large]), self._nms_iou, self._vote_iou)

    def _with_small_faces(self, image_rgb: NDArray[np.uint8], found: Detections, threshold: float) -> Detections:
        """What looks at twice, four times ... the size add, while there are pixels and small faces to gain."""
        photo_px = max(image_rgb.shape[:2])
        long_side_px = self._long_side_px
        while long_side_px * 2 <= self._max_long_side_px and photo_px >= SPARE_PIXELS * long_side_px:
            sides_px = self._sure_sides_px(found) * (long_side_px / photo_px)
            nothing_yet = not len(sides_px) and long_side_px == self._long_side_px
            if not nothing_yet and not (sides_px < SMALL_FACE_PX).any():
                break
            long_side_px *= 2
            finer = self._look(image_rgb, min(long_side_px, photo_px), threshold)
            found = suppress(join([found, finer]), self._nms_iou, self._vote_iou)
        return found

    def _sure_sides_px(self, found: Detections) -> Floats:
        """Sides, in photo pixels, of the faces found at the bundle's own threshold, whatever was asked for."""
        return np.sqrt(box_areas(found.boxes_xyxy[found.confidence >= self.default_confidence]))

    @staticmethod
    def _scale(image_rgb: NDArray[np.uint8], long_side_px: int) -> float:
        return float(min(long_side_px / max(image_rgb.shape[:2]), MAX_ENLARGEMENT))

    def _look(self, image_rgb: NDArray[np.uint8], long_side_px: int, threshold: float) -> Detections:
        """Detections at one input size, in photo pixels."""
        height, width = image_rgb.shape[:2]
        scale = self._scale(image_rgb, long_side_px)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = image_rgb
        if size != (width, height):
            scaled = np.asarray(cv2.resize(image_rgb, size, interpolation=how), dtype=np.uint8)
        found = suppress(
            join([self._view(scaled, tile, threshold) for tile in tiles(*size)]), self._nms_iou, self._vote_iou
        )
        back = np.array([width / size[0], height / size[1]], dtype=np.float32)
        return found.mapped(back, np.zeros(2, dtype=np.float32))

    def _view(self, scaled: NDArray[np.uint8], tile: Tile, threshold: float) -> Detections:
        """Detections of one network input, in pixels of the scaled photo, not yet suppressed."""
        view = scaled[tile.top : tile.bottom, tile.left : tile.right]
        bottom, right = (-side % STRIDES_PX[-1] for side in view.shape[:2])
        padded = cv2.copyMakeBorder(view, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(PADDING_GREY,) * 3)
        scores, distances, landmarks = self.engine.run(np.asarray(padded, dtype=np.uint8))
        height, width = padded.shape[:2]
        found = decode(scores[0, 0], distances[0], landmarks[0], height_px=height, width_px=width, threshold=threshold)
        offset = np.array([tile.left, tile.top], dtype=np.float32)
        return tile.without_cut_faces(found.mapped(np.ones(2, dtype=np.float32), offset))
