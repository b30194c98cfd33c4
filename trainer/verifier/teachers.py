"""What the teachers say about clean views, asked once and kept: a step then costs one pass of the student.

Two teachers: the start itself, straight and mirrored view averaged, and SFace likewise. Each is centred on the mean of
the groups of portraits, which matters more than it looks: cosines of uncentred embeddings hold what all faces share,
and strangers of the groups that a network saw least come out alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.precision import mixed_precision
from trainer.verifier.dlib_tower import DlibTower
from trainer.verifier.portraits import Portrait
from trainer.verifier.scoring import unit_length
from trainer.verifier.views import clean_views

BLOCK: Final = 128
Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Draw = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


class Teacher:
    """One teacher's centred answers on all chips, made when a batch first needs them and kept in `file`."""

    def __init__(self, weight: float, answer: Answer, file: Path, draw: Draw, count: int) -> None:
        """`draw` gives the chips (N, 160, 160, 3) of rows, of which there are `count`. Raises ValueError when `file`
        holds another number of answers."""
        self.weight, self._answer, self._file, self._draw = weight, answer, file, draw
        self._centre: NDArray[np.float32] | None = None
        if file.is_file():
            self._vectors: NDArray[np.float32] = np.load(file)
            if len(self._vectors) != count:
                raise ValueError(f"{file.name} holds answers on {len(self._vectors)} chips, not {count}: delete it")
        else:
            self._vectors = np.zeros((count, answer(draw(np.zeros(1, dtype=np.int64))).shape[1]), dtype=np.float32)

    def centre_on(self, portraits: Sequence[Portrait], rows: NDArray[np.int64], first: int) -> None:
        """Takes the centre from portraits `rows`, the first of which in all chips is `first`."""
        self._centre = group_centre(self._known(rows + first), [portraits[row].group for row in rows])

    def centred(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
        assert self._centre is not None, "centre_on comes first"
        return unit_length(self._known(rows) - self._centre)

    def keep(self) -> None:
        """Writes what was answered, for a run that goes on."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part.npy")
        np.save(part, self._vectors)
        part.replace(self._file)

    def _known(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        new = np.unique(rows[~self._vectors[rows].any(axis=1)])
        for start in range(0, len(new), BLOCK):
            part = new[start : start + BLOCK]
            self._vectors[part] = self._answer(self._draw(part))
        return self._vectors[rows]


def mirror_averaged(answer: Answer) -> Answer:
    """The mean direction of a chip's answer and its mirror image's."""

    def both(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return unit_length(answer(chips) + answer(np.ascontiguousarray(chips[:, :, ::-1])))

    return both


def straight_answer(tower: DlibTower, device: torch.device) -> Answer:
    """Chips → the tower's embeddings of unit length."""
    tower = tower.to(device=device, memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def answer(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(chips), BLOCK):
            pixels = clean_views(torch.from_numpy(chips[start : start + BLOCK]).to(device).permute(0, 3, 1, 2))
            with mixed_precision(device):
                parts.append(tower(pixels.contiguous(memory_format=torch.channels_last)).float().cpu().numpy())
        return unit_length(np.concatenate(parts))

    return answer


def raw_parts(tower: DlibTower, device: torch.device) -> Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float32]]]:
    """Chips → what the tower's heads answer by name, (N, D) each, before lengths and shares."""
    tower = tower.to(device=device, memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def answer(chips: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        found: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
        for start in range(0, len(chips), BLOCK):
            pixels = clean_views(torch.from_numpy(chips[start : start + BLOCK]).to(device).permute(0, 3, 1, 2))
            with mixed_precision(device):
                parts = tower.parts(pixels.contiguous(memory_format=torch.channels_last))
            for name, part in zip(("own", "learned"), parts, strict=False):
                found[name].append(part.float().cpu().numpy())
        return {name: np.concatenate(listed) for name, listed in found.items()}

    return answer


def group_centre(vectors: NDArray[np.float32], groups: Sequence[str]) -> NDArray[np.float32]:
    """(D,): the mean of the groups' means, so that no group is nearer to it for being larger."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        if group:
            members[group].append(index)
    if not members:
        raise ValueError("no portrait has a known gender and ethnicity")
    return np.asarray(np.mean([vectors[listed].mean(axis=0) for listed in members.values()], axis=0), np.float32)


def target(teachers: Sequence[Teacher], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Answers (N, D) of several teachers side by side, each of unit length times its weight; of unit length."""
    return unit_length(np.concatenate([teacher.weight * teacher.centred(rows) for teacher in teachers], axis=1))
