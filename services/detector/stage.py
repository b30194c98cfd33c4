"""The detector's work on a job: find the faces of its photos, cut crops for people and chips for the next stage."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.common.errors import GoldenMismatch
from services.common.inference.boxes import CHIP_SIZE_PX, align_face, crop_with_margin, landmarks_from_box
from services.common.inference.bundle import Bundle, replay_golden
from services.common.photos.image_format import SNIFF_BYTES, ImageFormat, sniff
from services.common.photos.imaging import at_most, decode, encode_jpeg
from services.common.schemas import Box, Face, Landmarks, Photo, image_url
from services.common.settings import Settings
from services.common.stages.detector import STAGE, FacesFound, FindFaces, PhotoToSearch, SearchedPhoto
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult
from services.detector.engines import Engine, engines
from services.detector.model import Detections, FaceDetector

log = logging.getLogger(__name__)

CROP_MARGIN = 0.25
CROP_MAX_SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class _Seen:
    """A photo and the faces kept of the `count` found; `model_s` is from when to when, by `time.perf_counter`."""

    image_rgb: NDArray[np.uint8]
    photo: Photo
    count: int
    kept: Detections
    faces: list[Face]
    model_s: tuple[float, float]

    def chips(self) -> NDArray[np.uint8]:
        return _chips(self.image_rgb, self.kept)


class DetectorStage:
    """Finds the faces of a job's photos, whichever kind of job asks."""

    spec = STAGE
    bundle_folders: Mapping[str, Path] = {"detector": Path(__file__).parent / "model"}
    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 2  # a verification looks at both side by side

    def __init__(self) -> None:
        # Threads that stay: an engine keeps buffers for each thread that it has ever run on.
        self._beside = ThreadPoolExecutor(thread_name_prefix="second-photo")

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> FaceDetector:
        bundle = bundles["detector"]
        candidates = engines(
            bundle, settings.threads, settings.detector_engine, device=settings.device, at_once=settings.concurrency
        )
        model = on_the_first_that_suits(bundle, settings.threads, candidates)
        model.warm_up()
        self._max_pixels = settings.max_pixels
        return model

    def run(self, model: FaceDetector, asked: FindFaces, files: JobFiles) -> StageResult:
        """Looks at the photos side by side: that keeps the cores busier than one after the other. Leaves crops, and the
        chips in the order of the photos where they are wanted."""
        limits = {"min_confidence": asked.min_confidence, "max_faces": asked.max_faces}
        first, *others = asked.photos
        beside = [self._beside.submit(self._look, model, files, photo, limits) for photo in others]
        try:
            seen = [self._look(model, files, first, limits)]
        finally:
            wait(beside)  # whatever becomes of the first: nothing is written to a job that this worker is done with
        seen += [each.result() for each in beside]
        if asked.chips:
            files.put_chips(np.concatenate([each.chips() for each in seen]))
        found = {
            photo.name: SearchedPhoto(photo=each.photo, count=each.count, faces=each.faces)
            for photo, each in zip(asked.photos, seen, strict=True)
        }
        model_ms = _covered_ms(*(each.model_s for each in seen))
        return StageResult(FacesFound(photos=found), {"detector": model.label}, model_ms)

    def _look(
        self,
        model: FaceDetector,
        files: JobFiles,
        photo: PhotoToSearch,
        limits: Mapping[str, Any],
    ) -> _Seen:
        """Finds the faces of a photo within the limits of `FaceDetector.detect`; stores crops of those kept."""
        with model.engine.photo():
            image_rgb, shown = self._photo(files, photo.name)
            started = time.perf_counter()
            found = model.detect(image_rgb, **limits)
            ended = time.perf_counter()
        kept = found.take(np.arange(len(found))[: photo.keep])
        faces = _faces(files, image_rgb, kept, crop_name=photo.crops)
        return _Seen(image_rgb, shown, len(found), kept, faces, (started, ended))

    def _photo(self, files: JobFiles, name: str) -> tuple[NDArray[np.uint8], Photo]:
        """The upright photo; one that browsers cannot show (HEIC) gets a JPEG preview they can."""
        content = files.get(name)
        image_rgb = decode(content, max_pixels=self._max_pixels)
        shown = name
        if sniff(content[:SNIFF_BYTES]) is ImageFormat.HEIC:
            shown = "preview" if name == "original" else f"{name}-preview"
            files.put(shown, encode_jpeg(image_rgb))
        height, width = image_rgb.shape[:2]
        return image_rgb, Photo(width=width, height=height, url=image_url(files.job_id, shown))


def on_the_first_that_suits(bundle: Bundle, threads: int, candidates: Iterable[Engine]) -> FaceDetector:
    """The bundle on the first engine that gives its golden answers. Raises GoldenMismatch when none does."""
    mismatch: GoldenMismatch | None = None
    for engine in candidates:
        model = FaceDetector(bundle, threads, engine=engine)
        try:
            replay_golden(bundle, model.replay, engine.slack)
        except GoldenMismatch as error:
            log.warning("%s does not suit this machine: %s", engine.name, error.detail)
            mismatch = error
            continue
        log.info("%s runs on %s", model.label, engine.name)
        return model
    raise mismatch or GoldenMismatch(f"{bundle.meta.label}: no engine to run it")


def _faces(files: JobFiles, image_rgb: NDArray[np.uint8], found: Detections, *, crop_name: str) -> list[Face]:
    """Faces as the API shows them, their crops stored under `crop_name` (with the face's index filled in)."""
    faces = []
    for index, (box, confidence, points) in enumerate(
        zip(found.boxes_xyxy, found.confidence, found.landmarks_xy, strict=True)
    ):
        name = crop_name.format(index)
        files.put(name, encode_jpeg(at_most(crop_with_margin(image_rgb, box, CROP_MARGIN), CROP_MAX_SIDE_PX)))
        x1, y1, x2, y2 = (round(float(value), 1) for value in box)
        eyes_nose_mouth = [(round(float(x), 1), round(float(y), 1)) for x, y in points]
        faces.append(
            Face(
                index=index,
                box=Box(x=x1, y=y1, width=round(x2 - x1, 1), height=round(y2 - y1, 1)),
                confidence=round(float(confidence), 4),
                landmarks=Landmarks.model_validate(dict(zip(Landmarks.model_fields, eyes_nose_mouth, strict=True))),
                crop_url=image_url(files.job_id, name),
            )
        )
    return faces


def _chips(image_rgb: NDArray[np.uint8], found: Detections) -> NDArray[np.uint8]:
    """Aligned faces (N, 160, 160, 3); landmarks that cannot be aligned give way to those a box suggests."""
    chips = np.zeros((len(found.confidence), CHIP_SIZE_PX, CHIP_SIZE_PX, 3), dtype=np.uint8)
    for index, (box, points) in enumerate(zip(found.boxes_xyxy, found.landmarks_xy, strict=True)):
        try:
            chips[index] = align_face(image_rgb, points)
        except ValueError:
            chips[index] = align_face(image_rgb, landmarks_from_box(box))
    return chips


def _covered_ms(*spans_s: tuple[float, float]) -> float:
    """How long at least one of the spans, each from a start to an end, was under way."""
    covered_s, until = 0.0, float("-inf")
    for started, ended in sorted(spans_s):
        covered_s += max(ended - max(started, until), 0.0)
        until = max(until, ended)
    return covered_s * 1000
