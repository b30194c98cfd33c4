"""One training sample: a photo with its faces, and the random views of it that the network learns from."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING_GREY = 114  # Ultralytics' letterbox colour, also what serving pads with
MIRRORED_LANDMARKS = [1, 0, 2, 4, 3]  # left and right as seen in the picture swap in a mirror
MAX_FACES = 300  # label assignment costs faces x anchors; the smallest ones beyond this are ignored, not unlearned
MIN_FACE_PX = 4.0  # shorter side, at the size the network sees; smaller faces are ignored
CLOSE_UPS = 0.1  # share of views filled by one face: WIDER has few, portraits and selfies are nothing else
CLOSE_UP_MIN_PX = 40.0
CLOSE_UP_FILLS = (0.35, 1.5)  # of the view's shorter side: up to a face cut at its own box
CLOSE_UP_MAX_SCALE = 8.0
BACKGROUND_MAX_ENLARGEMENT = 2.5
MIN_VISIBLE = 0.5  # a face cut by the view to less than this is ignored

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """image: (H, W, 3) uint8 RGB; boxes_xyxy: (N, 4) px; landmarks: (N, 5, 3) x, y px, 0 or 1; ignore_xyxy: (M, 4)."""

    image: Picture
    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignore_xyxy: NDArray[np.float32]


def random_view(
    sample: Sample, size_px: tuple[int, int], scale_range: tuple[float, float], rng: np.random.Generator
) -> Sample:
    """A (height, width) view at a log-uniform random scale, aimed at a random face more often than not.

    Cropping at about the photo's own scale, instead of shrinking photos to the training size, keeps faces of 6-20 px.
    """
    view_height, view_width = size_px
    scale = float(np.exp(rng.uniform(*np.log(scale_range))))
    aimed = int(rng.integers(len(sample.boxes_xyxy))) if len(sample.boxes_xyxy) and rng.random() < 0.8 else None
    if aimed is None:  # mostly background: enlarged, its patterns are what false alarms are made of
        scale *= float(rng.uniform(1, BACKGROUND_MAX_ENLARGEMENT))
    spread = (0.1, 0.9)  # where in the view the face aimed at may be
    large = np.flatnonzero(_longer_sides(sample.boxes_xyxy) >= CLOSE_UP_MIN_PX)
    if len(large) and rng.random() < CLOSE_UPS:
        aimed, spread = int(rng.choice(large)), (0.4, 0.6)
        fill = rng.uniform(*CLOSE_UP_FILLS) * min(view_height, view_width)
        scale = min(fill / _longer_sides(sample.boxes_xyxy)[aimed], CLOSE_UP_MAX_SCALE)
    stretch = float(np.exp(rng.uniform(-0.1, 0.1)))
    scale_x, scale_y = scale * stretch, scale / stretch
    window = np.array([view_width / scale_x, view_height / scale_y])  # in photo pixels
    photo = np.array([sample.image.shape[1], sample.image.shape[0]], dtype=np.float64)

    low, high = np.minimum(0, photo - window), np.maximum(0, photo - window)
    if aimed is not None:
        box = sample.boxes_xyxy[aimed]
        centre = (box[:2] + box[2:]) / 2
        offset = np.clip(centre - window * rng.uniform(*spread, size=2), low, high)
    else:
        offset = rng.uniform(low, high)
    transform = np.array([[scale_x, 0, -offset[0] * scale_x], [0, scale_y, -offset[1] * scale_y]])

    image: Picture = sample.image
    if scale < 0.7:  # linear sampling alone would alias
        image = _picture(cv2.blur(image, (2, 2)))
    image = _picture(
        cv2.warpAffine(
            image, transform, (view_width, view_height), flags=cv2.INTER_LINEAR, borderValue=(PADDING_GREY,) * 3
        )
    )
    factor = np.array([scale_x, scale_y], dtype=np.float32)
    shift = transform[:, 2].astype(np.float32)
    landmarks = sample.landmarks.copy()
    landmarks[..., :2] = landmarks[..., :2] * factor + shift
    moved = Sample(
        image,
        sample.boxes_xyxy * np.tile(factor, 2) + np.tile(shift, 2),
        landmarks,
        sample.ignore_xyxy * np.tile(factor, 2) + np.tile(shift, 2),
    )
    return keep_visible(moved)


def keep_visible(sample: Sample) -> Sample:
    """Clip to the view; faces too small, cut too much, or too many become regions to ignore."""
    size = np.tile(np.array([sample.image.shape[1], sample.image.shape[0]], dtype=np.float32), 2)
    clipped = np.clip(sample.boxes_xyxy, 0, size)
    visible, whole = _area(clipped), _area(sample.boxes_xyxy)
    sides = clipped[:, 2:] - clipped[:, :2]
    learn = (visible >= MIN_VISIBLE * whole) & (sides.min(axis=1, initial=np.inf) >= MIN_FACE_PX)
    if learn.sum() > MAX_FACES:
        learn &= visible >= np.sort(visible[learn])[-MAX_FACES]
    landmarks = sample.landmarks[learn]
    points = landmarks[..., :2]
    inside = ((points >= 0) & (points < size[:2])).all(axis=-1)
    landmarks[..., 2] *= inside
    ignore = np.concatenate([np.clip(sample.ignore_xyxy, 0, size), clipped[~learn]])
    return Sample(sample.image, clipped[learn], landmarks, ignore[_area(ignore) > 0])


def mirror(sample: Sample) -> Sample:
    """Left-right mirror image; left and right eyes and mouth corners change places."""
    width = sample.image.shape[1]
    landmarks = sample.landmarks[:, MIRRORED_LANDMARKS].copy()
    landmarks[..., 0] = width - landmarks[..., 0]
    return Sample(
        np.ascontiguousarray(sample.image[:, ::-1]),
        _mirror_boxes(sample.boxes_xyxy, width),
        landmarks,
        _mirror_boxes(sample.ignore_xyxy, width),
    )


def mosaic(tiles: list[Sample]) -> Sample:
    """Four equally large views as one 2x2 picture."""
    height, width = tiles[0].image.shape[:2]
    shifts = [np.array([x, y], dtype=np.float32) for y in (0, height) for x in (0, width)]
    rows = [np.concatenate([tiles[i].image, tiles[i + 1].image], axis=1) for i in (0, 2)]
    landmarks = [
        np.concatenate([t.landmarks[..., :2] + s, t.landmarks[..., 2:]], -1) for t, s in zip(tiles, shifts, strict=True)
    ]
    return Sample(
        np.concatenate(rows, axis=0),
        np.concatenate([t.boxes_xyxy + np.tile(s, 2) for t, s in zip(tiles, shifts, strict=True)]),
        np.concatenate(landmarks),
        np.concatenate([t.ignore_xyxy + np.tile(s, 2) for t, s in zip(tiles, shifts, strict=True)]),
    )


def recolour(image: Picture, rng: np.random.Generator) -> Picture:
    """Random brightness, contrast and tint; sometimes grey, sometimes out of focus."""
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.92, 1.08, size=3)
    offset = rng.uniform(-25, 25)
    table = np.clip(np.arange(256)[:, None] * gain + offset, 0, 255).astype(np.uint8)  # (256, 3)
    image = _picture(cv2.LUT(image, table[None]))
    if rng.random() < 0.1:
        image = _picture(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
    if rng.random() < 0.05:
        image = _picture(cv2.GaussianBlur(image, (3, 3), 0))
    return image


def _picture(pixels: NDArray[Any]) -> Picture:
    return np.asarray(pixels, dtype=np.uint8)


def _area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def _longer_sides(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)


def _mirror_boxes(boxes: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
