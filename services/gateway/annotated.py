"""The annotated picture: a job's photo with its boxes drawn, made when someone first looks and never stored.

Drawing and encoding a photo costs as much as a tenth of detecting its faces; most annotated pictures are never opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.boxes import LANDMARK_NAMES

BOX_RGB = (59, 130, 246)
MATCH_RGB = (34, 160, 90)
UNSURE_RGB = (150, 150, 150)


def annotate(image_rgb: NDArray[np.uint8], result: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A copy of the upright photo (height, width, 3) with the boxes and landmarks of a detection's or verification's
    result. Matches are green, faces too poor to judge grey; each box carries its index."""
    drawn = image_rgb.copy()
    stroke_px = max(2, round(max(drawn.shape[:2]) / 400))
    for face, colour in _faces(result):
        box = face["box"]
        left, top = round(box["x"]), round(box["y"])
        right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, stroke_px, cv2.LINE_AA)
        for name in LANDMARK_NAMES:
            x, y = face["landmarks"][name]
            cv2.circle(drawn, (round(x), round(y)), max(1, stroke_px // 2), colour, -1, cv2.LINE_AA)
        _label(drawn, str(face["index"]), left, top, colour, stroke_px)
    return drawn


def _faces(result: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], tuple[int, int, int]]]:
    if "faces" in result:
        return [(face, BOX_RGB) for face in result["faces"]]
    compared = [*result.get("matches", ()), *result.get("unmatched", ())]
    colours = {True: MATCH_RGB, False: BOX_RGB, None: UNSURE_RGB}
    return [(entry["face"], colours[entry["match"]]) for entry in compared]


def _label(
    drawn: NDArray[np.uint8], text: str, left: int, top: int, colour: tuple[int, int, int], stroke_px: int
) -> None:
    scale = stroke_px / 4
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, stroke_px // 2 + 1)
    top = max(top, height + 2 * stroke_px)
    cv2.rectangle(drawn, (left, top - height - 2 * stroke_px), (left + width + 2 * stroke_px, top), colour, -1)
    origin = (left + stroke_px, top - stroke_px)
    cv2.putText(drawn, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), stroke_px // 2 + 1, cv2.LINE_AA)
