"""GET /v1/models: which models answer right now, with their figures and cards."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.common.errors import Unauthorized, Unavailable, UnexpectedField
from services.common.ports import WorkerRecord
from services.common.schemas import ModelList, ModelView
from services.gateway.context import Reader, TheGateway
from services.gateway.problems import declared
from services.gateway.routes.health import live_workers

router = APIRouter(prefix="/v1", tags=["models"])


@router.get(
    "/models",
    response_model=ModelList,
    responses=declared(UnexpectedField, Unauthorized, Unavailable),
    operation_id="list_models",
)
def list_models(gateway: TheGateway, caller: Reader) -> Response:
    """One entry a model version; during a swap two versions of a task may answer side by side."""
    return Response(_models(live_workers(gateway)).model_dump_json(), media_type="application/json")


def _models(workers: list[WorkerRecord]) -> ModelList:
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for worker in workers:
        for view in worker.models.values():
            key = (view["task"], view["name"], view["version"])
            entry = found.setdefault(key, {**view, "workers": 0})
            entry["workers"] += 1
    return ModelList(models=[ModelView.model_validate(found[key]) for key in sorted(found)])
