"""RFC 9457 problem details: how every error leaves the gateway, and how OpenAPI declares them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services.common.errors import FacekitError, InternalError, InvalidValue, MethodNotAllowed, NotFound
from services.common.schemas import Problem
from services.gateway.methods import methods_of

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5


def problem_of(error: FacekitError, path: str | None = None) -> Problem:
    return Problem(
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        advice=error.advice,
        retryable=error.retryable,
        about_photo=error.about_photo,
        instance=path,
    )


def problem_response(error: FacekitError, path: str, headers: Mapping[str, str] | None = None) -> Response:
    """The error as problem+json; with Retry-After when waiting can help."""
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    if error.retryable or error.retry_after_s is not None:
        all_headers["Retry-After"] = str(error.retry_after_s or RETRY_AFTER_S)
    if error.status == 401:
        all_headers["WWW-Authenticate"] = "Bearer"
    content = problem_of(error, path).model_dump_json(exclude_none=True)
    return Response(content, status_code=error.status, headers=all_headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Every error a route or the framework raises becomes a problem; what nobody expected is RequestLog's."""

    @app.exception_handler(FacekitError)
    async def known(request: Request, error: FacekitError) -> Response:
        if error.status >= 500:
            log.warning("%s: %s", error.code, error.detail, extra={"code": error.code})
        return problem_response(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        return problem_response(InvalidValue(f"{name}: {first['msg']}"), request.url.path)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code in (404, 405):
            methods = methods_of(request)
            allow = {"Allow": ", ".join(methods)} if methods else error.headers
            if error.status_code == 405 or methods:
                return problem_response(MethodNotAllowed(f"{path[:200]} does not take {request.method}"), path, allow)
            return problem_response(NotFound(f"there is nothing at {path[:200]}"), path)
        if 400 <= error.status_code < 500:
            return problem_response(InvalidValue(str(error.detail)), path)
        return problem_response(InternalError(), path)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)  # nobody reads it; the number is nginx's for the log


def declared(*errors: type[FacekitError]) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: one entry a status, with an example for each code."""
    by_status: dict[int, list[type[FacekitError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {
        status: {
            "description": ", ".join(f"`{error.code}`" for error in group),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {
                        error.code: {"value": problem_of(error()).model_dump(exclude_none=True)} for error in group
                    },
                }
            },
        }
        for status, group in sorted(by_status.items())
    }
