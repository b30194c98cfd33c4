"""The prepared photos as an endless stream of random training samples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from trainer.detector import sample as views
from trainer.detector.sample import Sample

Batch = dict[str, torch.Tensor]


class FacePhotos:
    """The photos of one prepared split, decoded once into memory when they fit (`cache`), else on each use."""

    def __init__(self, folder: Path, *, cache: bool, limit: int | None = None) -> None:
        rows = [line.rsplit(" ", 2) for line in (folder / "photos.txt").read_text().splitlines()][:limit]
        self.names = [name for name, _, _ in rows]
        self.upright = [int(h) > int(w) for _, w, h in rows]
        self._folder = folder
        self._labels = [self._read(name, int(w), int(h)) for name, w, h in tqdm(rows, desc="labels", unit="photo")]
        self._pixels: list[NDArray[np.uint8]] | None = None
        if cache:
            self._pixels = [self._decode(name) for name in tqdm(self.names, desc="decode photos", unit="photo")]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        image = self._pixels[index] if self._pixels is not None else self._decode(self.names[index])
        return Sample(image, *self._labels[index])

    def _decode(self, name: str) -> NDArray[np.uint8]:
        path = self._folder / "images" / name
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise ValueError(f"{path} cannot be decoded")
        return np.asarray(image, dtype=np.uint8)

    def _read(self, name: str, width: int, height: int) -> tuple[NDArray[np.float32], ...]:
        """(boxes_xyxy, landmarks, ignore_xyxy) in pixels, as `prepare` wrote them normalised."""
        size = np.array([width, height], dtype=np.float32)
        labels = self._table("labels", name, 20)
        landmarks = labels[:, 5:].reshape(-1, 5, 3).copy()
        landmarks[..., :2] *= size
        landmarks[..., 2] = landmarks[..., 2] > 0
        return _to_xyxy(labels[:, 1:5], size), landmarks, _to_xyxy(self._table("ignore", name, 4), size)

    def _table(self, kind: str, name: str, columns: int) -> NDArray[np.float32]:
        text = (self._folder / kind / name).with_suffix(".txt").read_text()
        return np.array(text.split(), dtype=np.float32).reshape(-1, columns)


class TrainingStream(torch.utils.data.IterableDataset[dict[str, Any]]):
    """Batches of random views without end; each worker and rank draws its own, from its own seed."""

    def __init__(
        self,
        photos: FacePhotos,
        *,
        view_px: tuple[int, int],
        batch_size: int,
        scale_range: tuple[float, float],
        mosaic: float,
        seed: int,
    ) -> None:
        """`view_px`: (height, width); where they differ, each batch is all of lying or all of standing photos."""
        self._photos = photos
        self._view_px, self._batch_size, self._scale_range, self._mosaic = view_px, batch_size, scale_range, mosaic
        self._seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        cv2.setNumThreads(1)  # the network has the other cores
        square = self._view_px[0] == self._view_px[1]
        waiting: dict[bool, list[int]] = {False: [], True: []}
        for index in self._shuffled(rng):
            upright = self._photos.upright[index] and not square
            waiting[upright].append(index)
            if len(waiting[upright]) == self._batch_size:
                view_px = self._view_px[::-1] if upright else self._view_px
                yield collate([self._draw(photo, view_px, rng) for photo in waiting[upright]])
                waiting[upright].clear()

    def _shuffled(self, rng: np.random.Generator) -> Iterator[int]:
        while True:
            yield from rng.permutation(len(self._photos)).tolist()

    def _draw(self, index: int, view_px: tuple[int, int], rng: np.random.Generator) -> Sample:
        if rng.random() < self._mosaic:
            quarter = (view_px[0] // 2, view_px[1] // 2)
            others = rng.integers(len(self._photos), size=3).tolist()
            sample = views.mosaic([self._view(photo, quarter, rng) for photo in (index, *others)])
        else:
            sample = self._view(index, view_px, rng)
        if rng.random() < 0.5:
            sample = views.mirror(sample)
        return Sample(views.recolour(sample.image, rng), sample.boxes_xyxy, sample.landmarks, sample.ignore_xyxy)

    def _view(self, index: int, view_px: tuple[int, int], rng: np.random.Generator) -> Sample:
        return views.random_view(self._photos[index], view_px, self._scale_range, rng)


def collate(samples: list[Sample]) -> Batch:
    """Samples -> what Ultralytics' losses read (boxes, landmarks normalised), and `ignore` (K, 5): index, xyxy px."""
    height, width = samples[0].image.shape[:2]
    size = np.array([width, height], dtype=np.float32)
    boxes = np.concatenate([s.boxes_xyxy for s in samples])
    landmarks = np.concatenate([s.landmarks for s in samples])
    landmarks[..., :2] /= size
    xywh = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1) / np.tile(size, 2)
    ignore = [np.column_stack([np.full(len(s.ignore_xyxy), i), s.ignore_xyxy]) for i, s in enumerate(samples)]
    image = torch.from_numpy(np.stack([s.image for s in samples]))  # (B, H, W, 3) uint8
    return {
        "img": image.permute(0, 3, 1, 2),  # (B, 3, H, W), already channels_last in memory
        "batch_idx": torch.from_numpy(np.repeat(np.arange(len(samples)), [len(s.boxes_xyxy) for s in samples])),
        "cls": torch.zeros(len(boxes)),
        "bboxes": torch.from_numpy(xywh.astype(np.float32)),
        "keypoints": torch.from_numpy(landmarks),
        "ignore": torch.from_numpy(np.concatenate(ignore).astype(np.float32)),
    }


def _to_xyxy(normalised_xywh: NDArray[np.float32], size: NDArray[np.float32]) -> NDArray[np.float32]:
    centre, half = normalised_xywh[:, :2] * size, normalised_xywh[:, 2:] * size / 2
    return np.concatenate([centre - half, centre + half], axis=1)
