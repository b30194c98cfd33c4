"""GET /metrics, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from services.gateway.context import TheGateway

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
    operation_id="metrics",
)
def metrics(gateway: TheGateway) -> Response:
    """Submissions, jobs, queue depth, latencies and bytes."""
    return Response(gateway.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
