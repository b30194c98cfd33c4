"""Every stage and every kind of job, found in their packages: nobody keeps a list.

A module that declares none, two of one name, or a kind with an unknown stage is an error when a program starts.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, TypeVar

import services.common.kinds
import services.common.stages
from services.common.flows.kind import Kind
from services.common.flows.stage import StageSpec
from services.common.jobs import Job, JobStatus

Declared = TypeVar("Declared")


def _declared(package: ModuleType, attribute: str, of: type[Declared]) -> list[Declared]:
    found = []
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        module = importlib.import_module(f"{package.__name__}.{name}")
        declared = getattr(module, attribute, None)
        if not isinstance(declared, of):
            raise TypeError(f"{module.__name__} declares no {attribute}")
        found.append(declared)
    return found


def _by_name(declared: list[Any]) -> Mapping[str, Any]:
    named = {each.name: each for each in declared}
    if len(named) < len(declared):
        raise ValueError(f"a name is declared twice: {sorted(each.name for each in declared)}")
    return named


STAGES: Final[Mapping[str, StageSpec[Any, Any]]] = _by_name(_declared(services.common.stages, "STAGE", StageSpec))
KINDS: Final[Mapping[str, Kind[Any, Any]]] = _by_name(_declared(services.common.kinds, "KIND", Kind))
TASKS: Final[Mapping[str, str]] = {task: does for stage in STAGES.values() for task, does in stage.tasks.items()}

for _kind in KINDS.values():
    for _step in _kind.steps:
        if STAGES.get(_step.stage.name) is not _step.stage:
            raise ValueError(f"the kind {_kind.name!r} has a step {_step.stage.name!r} that is no stage")


def kind_named(name: str) -> Kind[Any, Any]:
    """Raises ValueError for a kind that does not exist."""
    try:
        return KINDS[name]
    except KeyError:
        raise ValueError(f"{name!r} is no kind of job; there are {', '.join(KINDS)}") from None


def flow_of(job: Job) -> tuple[str, ...]:
    """The stages the job runs, in order. Raises ValueError for a kind that does not exist."""
    kind = kind_named(job.kind)
    return kind.flow(kind.options.model_validate(dict(job.options)))


def progress_of(job: Job) -> float:
    """Share of the job's stages that are done, 0 to 1."""
    if job.status is JobStatus.SUCCEEDED:
        return 1.0
    if job.stage is None or job.kind not in KINDS:
        return 0.0
    flow = flow_of(job)
    return flow.index(job.stage) / len(flow)
