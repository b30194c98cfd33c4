"""GET /v1/vocabulary: the words for kinds, stages and problems, so that page and client keep no list of their own."""

from __future__ import annotations

import functools

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from services.common.errors import FacekitError, UnexpectedField, every_error
from services.common.flows.registry import KINDS, STAGES, TASKS
from services.common.schemas import Schema
from services.gateway.problems import declared

router = APIRouter(prefix="/v1", tags=["vocabulary"])


class KindWords(Schema):
    """A kind of job."""

    title: str = Field(description="What people call it")
    summary: str = Field(description="What it does, in a sentence")
    path: str = Field(description="Where it is submitted")
    photos: list[str] = Field(description="The file fields of its form")
    stages: list[str] = Field(description="Every stage it may run, in order")


class StageWords(Schema):
    """A stage of jobs."""

    label: str = Field(description="Names the step: `Find faces`")
    doing: str = Field(description="Says it is under way: `Finding faces`")
    noun: str = Field(description="Stands before its time: `finding faces 38 ms`")


class ProblemWords(Schema):
    """A problem, by its stable code."""

    title: str = Field(description="What happened, in a few words")
    advice: str = Field(description="What to do about it")
    status: int = Field(description="HTTP status, where an answer is refused with it")
    retryable: bool = Field(description="Whether the same request can succeed later")
    about_photo: bool = Field(description="Whether only another photo can help")


class Vocabulary(Schema):
    """The words for whatever the API names by a code."""

    kinds: dict[str, KindWords] = Field(description="By `kind`")
    stages: dict[str, StageWords] = Field(description="By `stage`")
    tasks: dict[str, str] = Field(description="What a model does, by `task`")
    problems: dict[str, ProblemWords] = Field(description="By `code`")


def _problem(error: type[FacekitError]) -> ProblemWords:
    return ProblemWords(
        title=error.title,
        advice=error.advice,
        status=error.status,
        retryable=error.retryable,
        about_photo=error.about_photo,
    )


@functools.cache
def vocabulary() -> str:
    """Everything that is registered in this process, as JSON."""
    kinds = {
        kind.name: KindWords(
            title=kind.title,
            summary=kind.summary,
            path=kind.path,
            photos=[photo.name for photo in kind.photos],
            stages=list(kind.order),
        )
        for kind in KINDS.values()
    }
    stages = {stage.name: StageWords(**stage.words._asdict()) for stage in STAGES.values()}
    problems = {error.code: _problem(error) for error in every_error()}
    whole = Vocabulary(kinds=kinds, stages=stages, tasks=dict(TASKS), problems=problems)
    return whole.model_dump_json()


@router.get("/vocabulary", response_model=Vocabulary, responses=declared(UnexpectedField), operation_id="vocabulary")
def get_vocabulary() -> Response:
    """The words for kinds of job, stages, tasks of models and problems. The same for everybody: it asks for no key."""
    return Response(vocabulary(), media_type="application/json", headers={"Cache-Control": "max-age=300"})
