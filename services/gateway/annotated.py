"""The annotated picture: a job's photo with its boxes drawn, made when someone first looks and never stored.

Drawing and encoding a photo costs as much as a tenth of detecting its faces; most annotated pictures are never opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.common.schemas import Landmarks

BOX_RGB = (59, 130, 246)
MATCH_RGB = (34, 160, 90)
UNSURE_RGB = (150, 150, 150)


def annotate(image_rgb: NDArray[np.uint8], result: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A copy of the upright photo (height, width, 3) with the boxes and landmarks of a detection's or verification's
    result. Matches are green, faces too poor to judge grey; each box carries its index."""
    photo = Image.fromarray(image_rgb)
    canvas = ImageDraw.Draw(photo)
    stroke_px = max(2, round(max(photo.size) / 400))
    font = ImageFont.load_default(6 * stroke_px)
    for face, colour in _faces(result):
        box = face["box"]
        left, top = round(box["x"]), round(box["y"])
        right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
        half = stroke_px // 2  # the stroke lies on the edge, half of it on either side
        canvas.rectangle(
            (left - half, top - half, max(right, left) + half, max(bottom, top) + half), outline=colour, width=stroke_px
        )
        for name in Landmarks.model_fields:
            x, y = face["landmarks"][name]
            canvas.circle((x, y), max(1, half), fill=colour)
        _label(canvas, str(face["index"]), left, top, colour, font, stroke_px)
    return np.array(photo)


def _faces(result: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], tuple[int, int, int]]]:
    if "faces" in result:
        return [(face, BOX_RGB) for face in result["faces"]]
    compared = [*result.get("matches", ()), *result.get("unmatched", ())]
    colours = {True: MATCH_RGB, False: BOX_RGB, None: UNSURE_RGB}
    return [(entry["face"], colours[entry["match"]]) for entry in compared]


def _label(
    canvas: ImageDraw.ImageDraw,
    text: str,
    left: int,
    top: int,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    stroke_px: int,
) -> None:
    """The index on a plate above the box, or inside its top where there is no room above."""
    _, _, width, height = canvas.textbbox((0, 0), text, font=font)
    top = max(top, round(height) + 2 * stroke_px)
    plate = (left, top - height - 2 * stroke_px, left + width + 2 * stroke_px, top)
    canvas.rectangle(plate, fill=colour)
    canvas.text((left + stroke_px, plate[1] + stroke_px), text, fill=(255, 255, 255), font=font)
