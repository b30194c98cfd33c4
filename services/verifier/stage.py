"""The verifier's work on a job: compare the anchor's face with every face of the second photo."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.common.inference.bundle import Bundle, replay_golden
from services.common.settings import Settings
from services.common.stages.verifier import STAGE, CompareFaces, Comparison, FacesCompared
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult
from services.verifier.model import FaceVerifier


class VerifierStage:
    """Compares the anchor's face with the others, and decides at the threshold asked for."""

    spec = STAGE
    bundle_folders: Mapping[str, Path] = {"verifier": Path(__file__).parent / "model"}
    unbundled: Mapping[str, Mapping[str, Any]] = {}

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> FaceVerifier:
        model = FaceVerifier(bundles["verifier"], threads=settings.threads, device=settings.device)
        replay_golden(bundles["verifier"], model.replay)
        model.warm_up()
        return model

    def run(self, model: FaceVerifier, asked: CompareFaces, files: JobFiles) -> StageResult:
        chips = files.get_chips()
        started = time.perf_counter()
        embeddings = model.embed(chips)
        similarities = model.similarity(embeddings[0], embeddings[1:])
        model_ms = (time.perf_counter() - started) * 1000

        if asked.threshold is not None:
            threshold = model.rates_at(asked.threshold)
        else:
            threshold = model.threshold_for_far(asked.max_far)
        anchor_quality = model.quality(chips[0], asked.anchor_size_px)
        comparisons = []
        for size_px, chip, similarity in zip(asked.face_sizes_px, chips[1:], similarities, strict=True):
            quality = model.quality(chip, size_px)
            judged = not (quality.low or anchor_quality.low)
            comparisons.append(
                Comparison(
                    similarity=round(float(similarity), 4),
                    probability=round(model.probability(float(similarity)), 4),
                    match=bool(similarity >= threshold.value) if judged else None,
                    quality=quality,
                )
            )
        compared = FacesCompared(
            anchor_quality=anchor_quality,
            threshold=threshold,
            thresholds=list(model.thresholds),
            comparisons=comparisons,
        )
        return StageResult(compared, {"verifier": model.label}, model_ms)
