"""RequestLog: around every request, its id, its log line, its latency, the answer to the unexpected, safe headers."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.errors import InternalError
from services.common.logs import bound
from services.gateway.context import Gateway
from services.gateway.problems import problem_response

log = logging.getLogger(__name__)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# What a browser may make of an answer that says nothing of its own: not guess its type, run nothing, keep no copy.
_DEFAULTS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_QUIET: Final = ("/healthz", "/readyz", "/metrics")


class RequestLog:
    """ASGI middleware, outside everything else. A sane X-Request-Id of the caller is kept and always sent back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", request_id.encode())]
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *extra, *((n, v) for n, v in _DEFAULTS if n not in said)]
            await send(message)

        with bound(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                log.exception("unexpected error", extra={"method": scope["method"], "path": scope["path"]})
                if status:  # half an answer is out; closing the connection is all that can still be said
                    raise
                error = InternalError(f"This was not expected; request {request_id} is in the log.")
                await problem_response(error, scope["path"])(scope, receive, send_with_id)
            finally:
                self._finish(scope, status, time.perf_counter() - started)

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        gateway: Gateway | None = getattr(scope["app"].state, "gateway", None)
        route = getattr(scope.get("route"), "path", "other")
        if gateway is not None:
            gateway.metrics.requests.labels(route, scope["method"], str(status)).observe(seconds)
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "client": scope["client"][0] if scope.get("client") else "",
        }
        job_id = scope.get("path_params", {}).get("job_id")
        if job_id is not None:
            fields["job_id"] = str(job_id)[:64]
        level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
        log.log(level, "%s %s", scope["method"], route, extra=fields)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return uuid.uuid4().hex
