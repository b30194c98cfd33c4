"""Kind: a kind of job, declared once; and the steps it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Generic, TypeVar

from services.common.errors import FacekitError
from services.common.flows.outputs import Outputs
from services.common.flows.stage import StageSpec
from services.common.schemas import Schema

Options = TypeVar("Options", bound=Schema)
Result = TypeVar("Result", bound=Schema)


@dataclass(frozen=True, slots=True)
class PhotoField:
    """A photo of the form: its field's name, what it is called in the job's files, and a sentence on what it is."""

    name: str
    stored_as: str
    description: str


@dataclass(frozen=True, slots=True)
class Step(Generic[Options]):
    """One stage of a kind. `asks` makes what the stage takes out of the job's options and the outputs before; `after`
    names the stages whose outputs it reads; `when` says whether a job with these options has the step at all; `accepts`
    looks at what the stage gave and raises the FacekitError that ends the job there."""

    stage: StageSpec[Any, Any]
    asks: Callable[[Options, Outputs], Schema]
    after: tuple[str, ...] = ()
    when: Callable[[Options], bool] = lambda options: True
    accepts: Callable[[Outputs], None] = lambda outputs: None


@dataclass(frozen=True, slots=True)
class Kind(Generic[Options, Result]):
    """A kind of job. `path` is where it is submitted, `operation` its OpenAPI operation, `title` what the page calls
    it, `summary` what it does; `problems` are refusals that only its form knows; `conclude` makes the result out of
    the job's id, its options and every output.

    Raises ValueError when the steps make no order: a stage twice, an unknown one in `after`, or a circle.
    """

    name: str
    path: str
    operation: str
    title: str
    summary: str
    photos: tuple[PhotoField, ...]
    options: type[Options]
    result: type[Result]
    steps: tuple[Step[Options], ...]
    conclude: Callable[[str, Options, Outputs], Result]
    problems: tuple[type[FacekitError], ...] = ()

    def __post_init__(self) -> None:
        names = [step.stage.name for step in self.steps]
        unknown = {name for step in self.steps for name in step.after} - set(names)
        if not names or len(set(names)) < len(names) or unknown:
            raise ValueError(f"the steps of {self.name!r} are no order: {names}, unknown {sorted(unknown)}")
        try:
            _ = self.order
        except CycleError as error:
            raise ValueError(f"the steps of {self.name!r} go in a circle: {error.args[1]}") from None

    @property
    def order(self) -> tuple[str, ...]:
        """Every stage that a job of this kind may run: each after those it needs."""
        return tuple(TopologicalSorter({step.stage.name: step.after for step in self.steps}).static_order())

    def step(self, stage: str) -> Step[Options]:
        """Raises ValueError for a stage this kind has no step for."""
        for step in self.steps:
            if step.stage.name == stage:
                return step
        raise ValueError(f"a {self.name} has no step {stage!r}")

    def flow(self, options: Options) -> tuple[str, ...]:
        """The stages a job with these options runs, in order."""
        return tuple(name for name in self.order if self.step(name).when(options))

    def stage_after(self, stage: str, options: Options) -> str | None:
        """The stage after this one, None when it is the last."""
        flow = self.flow(options)
        after = flow.index(stage) + 1
        return flow[after] if after < len(flow) else None
