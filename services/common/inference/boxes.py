"""Bounding boxes, landmarks and the crops cut by them: one convention for serving and training.

Boxes are float32 `xyxy` (left, top, right, bottom), pixels of the upright photo, right and bottom exclusive.
Landmarks are float32 x,y pixels in the order left eye, right eye, nose, left and right mouth corner *as seen in
the picture*: on an upright face the left eye has the smaller x.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

LANDMARK_NAMES: Final = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")

CHIP_SIZE_PX: Final = 160
CHIP_CORE_PX: Final = 112
CHIP_MARGIN_PX: Final = (CHIP_SIZE_PX - CHIP_CORE_PX) // 2

# The five points of the 112x112 ArcFace crop (Deng et al. 2019), the alignment most face networks are trained on.
ARCFACE_TEMPLATE_XY: Final[NDArray[np.float32]] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)


def clip_boxes(boxes_xyxy: NDArray[np.float32], width_px: int, height_px: int) -> NDArray[np.float32]:
    """Boxes (N, 4) cut to the photo, shape kept; one outside the photo becomes empty at its border."""
    limits = np.array([width_px, height_px, width_px, height_px], dtype=np.float32)
    return np.clip(boxes_xyxy, 0, limits).astype(np.float32)


def box_areas(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Areas (N,) in square pixels; an inverted box has none."""
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    areas: NDArray[np.float32] = sides[:, 0] * sides[:, 1]
    return areas


def iou_matrix(first_xyxy: NDArray[np.float32], second_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union (N, M) of boxes (N, 4) with boxes (M, 4)."""
    top_left = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    bottom_right = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    overlap = np.prod(np.maximum(bottom_right - top_left, 0), axis=2)
    union = box_areas(first_xyxy)[:, None] + box_areas(second_xyxy)[None, :] - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), dtype=np.float32)


def similarity_transform(source_xy: NDArray[np.float32], target_xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation, uniform scale and shift (2, 3) that best maps points (N, 2) onto points (N, 2).

    Least squares after Umeyama (1991), without reflection. Raises ValueError when the source points coincide.
    """
    source, target = source_xy.astype(np.float64), target_xy.astype(np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = float((source_centred**2).sum()) / len(source)
    if variance < 1e-6:
        raise ValueError("landmarks coincide: no alignment can be computed from them")
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = float((singular * sign).sum()) / variance
    matrix = np.empty((2, 3))
    matrix[:, :2] = scale * rotation
    matrix[:, 2] = target_mean - scale * rotation @ source_mean
    return matrix


def landmarks_from_box(box_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the landmarks (5, 2) of an upright frontal face with this box would be.

    For the rare face whose own landmarks cannot be aligned. The box is placed on the template as detectors trained on
    WIDER FACE draw it: from above the brows to the chin, as wide as the cheeks.
    """
    face_left_top, face_size = np.array([14.0, 10.0], np.float32), np.array([84.0, 106.0], np.float32)
    share = (ARCFACE_TEMPLATE_XY - face_left_top) / face_size
    landmarks: NDArray[np.float32] = box_xyxy[:2] + share * (box_xyxy[2:] - box_xyxy[:2])
    return landmarks


def align_face(image_rgb: NDArray[np.uint8], landmarks_xy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The face chip (160, 160, 3) uint8 RGB: the five landmarks moved onto a fixed template.

    The central 112x112 of the chip is the ArcFace crop; the 24 px around it are context (hair, chin, ears). What lies
    outside the photo is black. Faces larger than the chip are first shrunk by area averaging, so that fine texture
    does not alias. Raises ValueError for landmarks that coincide.
    """
    landmarks = np.asarray(landmarks_xy, dtype=np.float32)
    scale = float(np.linalg.norm(similarity_transform(landmarks, ARCFACE_TEMPLATE_XY)[:, 0]))
    if scale < 0.5:
        image_rgb, landmarks = _shrink_around(image_rgb, landmarks, scale * 1.25)
    matrix = similarity_transform(landmarks, ARCFACE_TEMPLATE_XY + np.float32(CHIP_MARGIN_PX))
    chip = cv2.warpAffine(image_rgb, matrix, (CHIP_SIZE_PX, CHIP_SIZE_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(chip, dtype=np.uint8)


def _shrink_around(
    image_rgb: NDArray[np.uint8], landmarks_xy: NDArray[np.float32], scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The part of the photo a chip can reach, scaled down, and the landmarks in its pixels."""
    height, width = image_rgb.shape[:2]
    centre = landmarks_xy.mean(axis=0)
    reach = CHIP_SIZE_PX / scale * 1.25
    left, top = (int(max(value, 0)) for value in np.floor(centre - reach))
    right, bottom = int(min(centre[0] + reach, width)), int(min(centre[1] + reach, height))
    if right - left < 2 or bottom - top < 2:
        return image_rgb, landmarks_xy
    part = image_rgb[top:bottom, left:right]
    size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    factor = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], dtype=np.float32)
    # Pixel centres, not corners, are what a resize keeps in proportion.
    moved = (landmarks_xy - np.array([left, top], dtype=np.float32) + 0.5) * factor - 0.5
    return np.asarray(small, dtype=np.uint8), moved.astype(np.float32)


def crop_with_margin(
    image_rgb: NDArray[np.uint8], box_xyxy: NDArray[np.float32], margin: float = 0.25
) -> NDArray[np.uint8]:
    """The box grown by `margin` of its longer side on every side, cut to the photo: a crop for people to look at.

    At least 1x1 px, even for a box at or beyond the border.
    """
    height, width = image_rgb.shape[:2]
    x1, y1, x2, y2 = (float(value) for value in box_xyxy)
    grow = margin * max(x2 - x1, y2 - y1, 0.0)
    left = int(np.clip(np.floor(x1 - grow), 0, width - 1))
    top = int(np.clip(np.floor(y1 - grow), 0, height - 1))
    right = int(np.clip(np.ceil(x2 + grow), left + 1, width))
    bottom = int(np.clip(np.ceil(y2 + grow), top + 1, height))
    return np.ascontiguousarray(image_rgb[top:bottom, left:right])
