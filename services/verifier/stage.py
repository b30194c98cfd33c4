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
from services.verifier.judge import any_false_match, rounded, verdict
from services.verifier.model import FaceVerifier
from services.verifier.quality import assess


class VerifierStage:
    """Compares the anchor's face with the others, and decides at the threshold asked for."""

    spec = STAGE
    bundle_folders: Mapping[str, Path] = {"verifier": Path(__file__).parent / "model"}
    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 0

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
        anchor_quality = assess(chips[0], asked.anchor, model.limits, anchor=True)
        comparisons = []
        for face, chip, measured in zip(asked.faces, chips[1:], similarities, strict=True):
            quality, similarity = assess(chip, face, model.limits), rounded(measured)
            comparisons.append(
                Comparison(
                    similarity=similarity,
                    probability=model.probability(similarity, asked.prior),
                    match=verdict(similarity, threshold.value, quality, anchor_quality),
                    quality=quality,
                )
            )
        judged = sum(each.match is not None for each in comparisons)
        compared = FacesCompared(
            anchor_quality=anchor_quality,
            threshold=threshold,
            thresholds=list(model.thresholds),
            worst_group=model.worst_group,
            any_false_match=round(any_false_match(threshold.far, judged), 4),
            comparisons=comparisons,
        )
        return StageResult(compared, {"verifier": model.label}, model_ms)
