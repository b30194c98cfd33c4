"""A stage around a model that is a number: what the worker loop needs, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.common.inference.bundle import Bundle, golden_case, replay_golden, write_bundle
from services.common.schemas import Photo
from services.common.settings import Settings
from services.common.stages.detector import STAGE, FacesFound, FindFaces, SearchedPhoto
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult

PIXEL = np.full((1, 1, 3), 4, np.uint8)


def tiny_bundle(folder: Path, version: str, factor: int, golden_factor: int | None = None) -> Bundle:
    """A `detector` bundle whose model multiplies a pixel by `factor`; `golden_factor` records another answer."""
    meta = {
        "task": "detector",
        "name": "tiny",
        "version": version,
        "input": {"width_px": 1, "height_px": 1, "channels": "rgb", "layout": "nhwc"},
        "parameters": {"factor": factor},
        "trained_on": "nothing",
        "licence": "AGPL-3.0",
    }
    recorded = {"product": PIXEL * np.uint8(golden_factor or factor)}
    return write_bundle(folder, onnx=b"none", meta=meta, golden=[golden_case("pixel", PIXEL, recorded)], card="# tiny")


class TinyStage:
    """Stands for the detector; finds no face, on photos as wide as the model's factor. `run` is called meanwhile."""

    spec = STAGE
    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 0

    def __init__(self, folder: Path, run: Callable[[FindFaces, JobFiles], None] = lambda asked, files: None) -> None:
        self.bundle_folders: Mapping[str, Path] = {"detector": folder}
        self._run = run

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> tuple[str, int]:
        factor = int(str(bundles["detector"].meta.parameters["factor"]))
        replay_golden(bundles["detector"], lambda image: {"product": image * np.uint8(factor)})
        return bundles["detector"].meta.label, factor

    def run(self, model: tuple[str, int], asked: FindFaces, files: JobFiles) -> StageResult:
        self._run(asked, files)
        photo = Photo(width=model[1], height=1, url="/x")
        seen = SearchedPhoto(photo=photo, count=0, faces=[])
        found = FacesFound(photos={each.name: seen for each in asked.photos})
        return StageResult(found, {"detector": model[0]}, model_ms=1.0)
