"""The verifier's work on a job: compare the anchor's face with every face of the second photo."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.common.inference.bundle import Bundle, replay_golden
from services.common.jobs import Job
from services.common.schemas import Face, Match, Photo, Quality, Threshold, VerificationOptions, VerificationResult
from services.common.settings import Settings
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult
from services.verifier.model import FaceVerifier


class VerifierStage:
    """Turns the detector's faces into matches, unmatched faces and the rates measured at the threshold."""

    name = "verifier"
    bundle_folders: Mapping[str, Path] = {"verifier": Path(__file__).parent / "model"}
    unbundled: Mapping[str, Mapping[str, Any]] = {}
    photos_a_job = 0

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> FaceVerifier:
        model = FaceVerifier(bundles["verifier"], threads=settings.threads, device=settings.device)
        replay_golden(bundles["verifier"], model.replay)
        model.warm_up()
        return model

    def run(self, model: FaceVerifier, job: Job, files: JobFiles) -> StageResult:
        options = VerificationOptions.model_validate(job.options)
        found = dict(job.result or {})
        anchor_face = Face.model_validate(found["anchor_face"])
        faces = [Face.model_validate(face) for face in found["faces"]]
        chips = files.get_chips()
        started = time.perf_counter()
        embeddings = model.embed(chips)
        similarities = model.similarity(embeddings[0], embeddings[1:])
        model_ms = (time.perf_counter() - started) * 1000

        if options.threshold is not None:
            threshold = model.rates_at(options.threshold)
        else:
            threshold = model.threshold_for_far(options.max_far)
        anchor_quality = Quality.model_validate(model.quality(chips[0], _size_px(anchor_face)))
        notices = list(found["notices"]) + (["low_quality_anchor"] if anchor_quality.low else [])
        compared = []
        for face, chip, similarity in zip(faces, chips[1:], similarities, strict=True):
            quality = Quality.model_validate(model.quality(chip, _size_px(face)))
            judged = not (quality.low or anchor_quality.low)
            compared.append(
                Match(
                    face=face,
                    similarity=round(float(similarity), 4),
                    probability=round(float(model.probability(float(similarity))), 4),
                    match=bool(similarity >= threshold.value) if judged else None,
                    low_quality=quality.low,
                    quality=quality,
                )
            )
        compared.sort(key=lambda match: match.similarity, reverse=True)
        result = VerificationResult(
            anchor=Photo.model_validate(found["anchor"]),
            image=Photo.model_validate(found["image"]),
            annotated_url=found["annotated_url"],
            anchor_face=anchor_face,
            anchor_quality=anchor_quality,
            threshold=Threshold.model_validate(threshold),
            thresholds=[Threshold.model_validate(row) for row in model.thresholds],
            notices=notices,
            matches=[match for match in compared if match.match],
            unmatched=[match for match in compared if not match.match],
        )
        return StageResult(result.model_dump(), {"verifier": model.label}, model_ms)


def _size_px(face: Face) -> float:
    """The shorter side of the face's box in photo pixels: what resolution the face really has."""
    return min(face.box.width, face.box.height)
