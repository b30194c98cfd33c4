"""The analyzer's work on a job: estimate the attributes that were asked for, for every face at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.analyzer.model import FaceAnalyzer
from services.common.inference.bundle import Bundle, replay_golden
from services.common.schemas import ATTRIBUTES, Attributes
from services.common.settings import Settings
from services.common.stages.analyzer import STAGE, AttributesEstimated, EstimateAttributes
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult


class AnalyzerStage:
    """Estimates attributes of the faces the detector found."""

    spec = STAGE
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

    def run(self, model: FaceAnalyzer, asked: EstimateAttributes, files: JobFiles) -> StageResult:
        models: dict[str, str] = {attribute: model.labels[attribute] for attribute in asked.analyze}
        if not asked.faces:
            return StageResult(AttributesEstimated(faces=[]), models, 0.0)
        chips = files.get_chips()
        started = time.perf_counter()
        answers = model.analyze(chips, asked.analyze)
        model_ms = (time.perf_counter() - started) * 1000
        estimated = AttributesEstimated(faces=[Attributes.model_validate(answer) for answer in answers])
        return StageResult(estimated, models, model_ms)
