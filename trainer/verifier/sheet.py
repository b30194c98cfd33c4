"""The worst mistakes as one picture: to see what a figure hides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from trainer.verifier.chips import ChipSet
from trainer.verifier.protocol import Scored

COLUMNS = 6
TILE_PX = 120


def write_mistakes(data: ChipSet, scored: Scored, path: Path, each: int = 24) -> None:
    """Genuine pairs least alike (upper half), impostor pairs most alike (lower half), worst first, with similarity.

    The picture shows the dataset's people: keep it in the run's folder.
    """
    order = np.argsort(scored.similarity)
    genuine = [i for i in order if scored.same[i]][:each]
    impostors = [i for i in order[::-1] if not scored.same[i]][:each]
    rows = []
    for chosen in (genuine, impostors):
        tiles = [_tile(data, scored, int(i)) for i in chosen]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
        rows += [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    sheet = np.vstack(rows)
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f"{path.name} could not be written")


def _tile(data: ChipSet, scored: Scored, index: int) -> np.ndarray:
    pair = [
        cv2.resize(np.asarray(data.chips[row]), (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
        for row in (scored.pairs.first[index], scored.pairs.second[index])
    ]
    tile = np.hstack(pair)
    colour = (90, 220, 90) if scored.same[index] else (255, 90, 90)
    label = f"{scored.similarity[index]:.2f}"
    cv2.putText(tile, label, (4, TILE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=colour)
