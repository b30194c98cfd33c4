"""JobStep: one job at one stage, between its row and the stage: what to ask, and what becomes of the answer."""

from __future__ import annotations

from typing import Any

from services.common.errors import InternalError
from services.common.flows.outputs import Outputs
from services.common.flows.registry import kind_named
from services.common.flows.stage import StageSpec
from services.common.jobs import Job
from services.common.schemas import Schema


class JobStep:
    """`asked` is what the stage is to do; `next_stage` is None for the last. Raises InternalError for a job that this
    version cannot work on: another kind, or outputs of another shape."""

    def __init__(self, job: Job, stage: StageSpec[Any, Any]) -> None:
        self._job_id = job.id
        self._stage = stage
        self._outputs = Outputs(job.result)
        try:
            self._kind = kind_named(job.kind)
            self._options = self._kind.options.model_validate(dict(job.options))
            self._step = self._kind.step(stage.name)
            self.next_stage = self._kind.stage_after(stage.name, self._options)
        except ValueError as error:
            raise InternalError(f"this worker does not know such a job: {error}") from error
        self.asked: Schema = self._step.asks(self._options, self._outputs)
        if not isinstance(self.asked, stage.takes):
            raise InternalError(f"{stage.name} takes {stage.takes.__name__}, not {type(self.asked).__name__}")

    @property
    def has_others(self) -> bool:
        """Whether stages have handed each other anything."""
        return len(self._kind.flow(self._options)) > 1

    def result(self, given: Schema) -> dict[str, Any]:
        """What the job's row holds now: the outputs so far, or after the last stage the result.

        Raises the FacekitError by which the kind ends a job that cannot go on with this output.
        """
        self._outputs[self._stage] = given
        self._step.accepts(self._outputs)
        if self.next_stage is not None:
            return self._outputs.stored()
        concluded: Schema = self._kind.conclude(self._job_id, self._options, self._outputs)
        return concluded.model_dump()
