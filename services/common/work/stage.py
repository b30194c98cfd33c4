"""What a model service adds to the worker loop: which models it loads and what it does when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from services.common.flows.stage import StageSpec
from services.common.inference.bundle import Bundle
from services.common.schemas import Schema
from services.common.settings import Settings
from services.common.work.job_files import JobFiles


@dataclass(frozen=True, slots=True)
class StageResult:
    """`given` is of the schema its StageSpec gives; `models` names what answered, by task; `model_ms` is time inside
    the model."""

    given: Schema
    models: Mapping[str, str]
    model_ms: float
    timings_ms: Mapping[str, float] = field(default_factory=dict)


Model = TypeVar("Model")


class Stage(Protocol[Model]):
    """One model service. `build` runs in the worker's own process after its start, never at import."""

    spec: StageSpec[Any, Any]
    bundle_folders: Mapping[str, Path]
    unbundled: Mapping[str, Mapping[str, Any]]
    """Models that answer and come from no bundle, by task: schemas.ModelView without `workers`."""
    photos_a_job: int
    """How many it decodes side by side; a process that decodes none may take what memory it needs."""

    def build(self, bundles: Mapping[str, Bundle], settings: Settings) -> Model:
        """Loads and warms up; replays the golden inputs. Raises BundleInvalid, WeightsUnavailable or
        DeviceUnavailable."""

    def run(self, model: Model, asked: Any, files: JobFiles) -> StageResult:
        """`asked` is of the schema its StageSpec takes. Raises FacekitError for what the user or an operator should
        know; its code ends the job."""
