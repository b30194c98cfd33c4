"""/healthz and /readyz: whether this process lives, and whether what it needs answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.common.errors import FacekitError
from services.common.flows.registry import STAGES
from services.common.jobs import now
from services.common.ports import WorkerRecord
from services.gateway.context import Gateway, TheGateway

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

WORKER_SEEN_S: Final = 15.0


class Liveness(BaseModel):
    status: Literal["ok"] = Field(default="ok", description="Always `ok`")


class Readiness(BaseModel):
    """`checks` says `ok` or what is wrong with store, database and queue; `workers` counts live ones by stage."""

    status: Literal["ready", "unavailable"] = Field(description="`ready` when jobs are accepted")
    checks: dict[str, str] = Field(description="`ok`, or what is wrong, of store, database and queue")
    workers: dict[str, int] = Field(description="Live workers by stage")


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Liveness:
    """Answers while the process lives."""
    return Liveness()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Store, database or queue does not answer"}},
    operation_id="readyz",
)
def readyz(gateway: TheGateway) -> Response:
    """Ready when store, database and queue answer: jobs are accepted then. Stages without a worker show 0."""
    checks = {
        "store": _check("store", gateway.store.ping),
        "database": _check("database", gateway.jobs.ping),
        "queue": _check("queue", gateway.queue.ping),
    }
    workers = dict.fromkeys(STAGES, 0)
    if checks["database"] == "ok":
        checks["database"] = _check("database", lambda: _count(gateway, workers))
    ready = all(text == "ok" for text in checks.values())
    view = Readiness(status="ready" if ready else "unavailable", checks=checks, workers=workers)
    return Response(
        view.model_dump_json(), 200 if ready else 503, {"Cache-Control": "no-store"}, media_type="application/json"
    )


def live_workers(gateway: Gateway) -> list[WorkerRecord]:
    return gateway.jobs.workers(seen_since=now() - timedelta(seconds=WORKER_SEEN_S))


def _count(gateway: Gateway, workers: dict[str, int]) -> None:
    for worker in live_workers(gateway):
        workers[worker.stage] = workers.get(worker.stage, 0) + 1


def _check(name: str, ping: Callable[[], Any]) -> str:
    try:
        ping()
    except FacekitError as error:
        log.warning("%s is not ready: %s", name, error.detail)
        return error.title  # details may name hosts, which are for the log
    return "ok"
