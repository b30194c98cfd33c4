"""A stage around a model that is a number: what the worker loop needs, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.common.inference.bundle import Bundle, golden_case, replay_golden, write_bundle
from services.common.jobs import Job
from services.common.settings import Settings
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
    name = "detector"
    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 0

    def __init__(self, folder: Path, run: Callable[[Job, JobFiles], None] = lambda job, files: None) -> None:
        self.bundle_folders: Mapping[str, Path] = {"detector": folder}
        self._run = run

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> tuple[str, int]:
        factor = int(str(bundles["detector"].meta.parameters["factor"]))
        replay_golden(bundles["detector"], lambda image: {"product": image * np.uint8(factor)})
        return bundles["detector"].meta.label, factor

    def run(self, model: tuple[str, int], job: Job, files: JobFiles) -> StageResult:
        self._run(job, files)
        return StageResult({"factor": model[1]}, {"detector": model[0]}, model_ms=1.0)
