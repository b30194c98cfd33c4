"""The analyzer's work on a job: estimate the attributes that were asked for, for every face at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.analyzer.model import FaceAnalyzer
from services.common.inference.bundle import Bundle, replay_golden
from services.common.jobs import Job
from services.common.schemas import ATTRIBUTES, Attributes, DetectionOptions, DetectionResult
from services.common.settings import Settings
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult


class AnalyzerStage:
    """Adds `attributes` to the faces the detector found."""

    name = "analyzer"
    bundle_folders: Mapping[str, Path] = {
        attribute: Path(__file__).parent / "model" / attribute for attribute in ATTRIBUTES
    }

    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 0

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> FaceAnalyzer:
        model = FaceAnalyzer(bundles, settings.threads, device=settings.device)
        for bundle in bundles.values():
            replay_golden(bundle, model.replay)
        model.warm_up()
        return model

    def run(self, model: FaceAnalyzer, job: Job, files: JobFiles) -> StageResult:
        asked = DetectionOptions.model_validate(job.options).analyze
        result = DetectionResult.model_validate(job.result)
        models: dict[str, str] = {attribute: model.labels[attribute] for attribute in asked}
        if not result.faces:
            return StageResult(result.model_dump(exclude_none=True), models, 0.0)
        chips = files.get_chips()
        started = time.perf_counter()
        answers = model.analyze(chips, asked)
        model_ms = (time.perf_counter() - started) * 1000
        for face, answer in zip(result.faces, answers, strict=True):
            face.attributes = Attributes.model_validate(answer)
        return StageResult(result.model_dump(), models, model_ms)
