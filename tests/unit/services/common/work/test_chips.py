"""Aligned faces go from stage to stage through the store, and stay there only while the job goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.common.bootstrap import Ports
from services.common.errors import ImageCorrupt, Unavailable
from services.common.inference.bundle import Bundle
from services.common.jobs import Job, JobStatus, new_job_id, now, object_key
from services.common.schemas import ATTRIBUTES
from services.common.settings import Settings
from services.common.stages.analyzer import STAGE, AttributesEstimated, EstimateAttributes
from services.common.work.job_files import JobFiles
from services.common.work.stage import StageResult
from services.common.work.worker import Worker
from tests.unit.services.common.tiny_stage import TinyStage, tiny_bundle

Ends = Callable[[Ports, str], None]


class LastStage:
    """Stands for the analyzer: looks at the chips, and then does what the test wants."""

    spec = STAGE
    bundle_folders: Mapping[str, Path] = {}
    unbundled: Mapping[str, Mapping[str, Any]] = {attribute: {} for attribute in ATTRIBUTES}

    def __init__(self, ports: Ports, ends: Ends) -> None:
        self._ports, self._ends = ports, ends

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> None:
        pass

    def run(self, model: None, asked: EstimateAttributes, files: JobFiles) -> StageResult:
        assert len(files.get_chips()) == 1
        self._ends(self._ports, files.job_id)
        return StageResult(AttributesEstimated(faces=[]), {}, model_ms=1.0)


def succeeds(ports: Ports, job_id: str) -> None:
    pass


def fails(ports: Ports, job_id: str) -> None:
    raise ImageCorrupt("half a photo")


def fails_for_now(ports: Ports, job_id: str) -> None:
    raise Unavailable("the model is away")


def is_cancelled(ports: Ports, job_id: str) -> None:
    ports.jobs.cancel(job_id)


@pytest.mark.parametrize(
    ("ends", "attempts", "status", "kept"),
    [
        (succeeds, 3, JobStatus.SUCCEEDED, False),
        (fails, 3, JobStatus.FAILED, False),
        (fails_for_now, 1, JobStatus.FAILED, False),
        (is_cancelled, 3, JobStatus.CANCELLED, False),
        (fails_for_now, 3, JobStatus.QUEUED, True),
    ],
    ids=["succeeded", "failed", "failed once too often", "cancelled", "to be tried again"],
)
def test_chips_stay_while_the_job_goes_on(
    ports: Ports, settings: Settings, tmp_path: Path, ends: Ends, attempts: int, status: JobStatus, kept: bool
) -> None:
    tiny_bundle(tmp_path / "bundle", "1", factor=2)
    limited = settings.model_copy(update={"max_attempts": attempts})
    job = Job(new_job_id(), "detection", JobStatus.QUEUED, "detector", {"analyze": ["age"]}, now())
    ports.jobs.insert(job, max_active=100)
    first = TinyStage(tmp_path / "bundle", lambda asked, files: files.put_chips(np.zeros((1, 160, 160, 3), np.uint8)))
    for stage in (first, LastStage(ports, ends)):
        worker = Worker(stage, store=ports.store, jobs=ports.jobs, queue=ports.queue, settings=limited)
        worker.handle(job.id)
    assert ports.jobs.get(job.id).status is status
    assert ports.store.exists(object_key(job.id, "chips")) is kept
