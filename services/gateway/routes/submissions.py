"""A POST route for each kind of job: its photos and options become a job."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from services.common.errors import (
    FacekitError,
    Forbidden,
    IdempotencyConflict,
    ImageCorrupt,
    ImageEmpty,
    ImageTooCostly,
    ImageTooLarge,
    InvalidValue,
    MissingField,
    QueueFull,
    RateLimited,
    StorageFull,
    TooManyPixels,
    Unauthorized,
    Unavailable,
    UnexpectedField,
    UnsupportedFormat,
)
from services.common.flows.kind import Kind
from services.common.flows.registry import KINDS
from services.common.flows.views import JobView, job_view
from services.gateway.acceptance import MAX_KEY_LENGTH, Accepted, Submission, checked_idempotency_key
from services.gateway.access import Caller
from services.gateway.context import Gateway, Submitter, TheGateway
from services.gateway.examples import ACCEPTED
from services.gateway.forms import form_of, form_schema, options_of
from services.gateway.problems import declared
from services.gateway.uploads import FormSpec, received_form

log = logging.getLogger(__name__)

router = APIRouter(tags=["submissions"])

_PROBLEMS: Final = (
    *(UnsupportedFormat, ImageTooLarge, TooManyPixels, ImageCorrupt, ImageEmpty, ImageTooCostly),
    *(MissingField, UnexpectedField),
    *(InvalidValue, IdempotencyConflict, Unauthorized, Forbidden, RateLimited, QueueFull, StorageFull, Unavailable),
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        json_schema_extra={"minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        description="At most 255 printable ASCII characters. Sent again with the same photos and options, it answers "
        "with the first job (and `Idempotent-Replayed: true`) instead of making a second one.",
    ),
]


def _add_route(kind: Kind[Any, Any]) -> None:
    spec = form_of(kind)
    stored_as = {photo.name: photo.stored_as for photo in kind.photos}

    async def submit(
        request: Request, gateway: TheGateway, caller: Submitter, idempotency_key: IdempotencyKey = None
    ) -> Response:
        return await _submit(request, gateway, caller, idempotency_key, kind, spec, stored_as)

    router.add_api_route(
        kind.path,
        submit,
        methods=["POST"],
        status_code=202,
        response_model=JobView,
        responses=declared(*_PROBLEMS, *kind.problems) | ACCEPTED,
        openapi_extra=form_schema(kind),
        operation_id=kind.operation,
        summary=kind.title,
        description=kind.summary,
    )


async def _submit(
    request: Request,
    gateway: Gateway,
    caller: Caller,
    key: str | None,
    kind: Kind[Any, Any],
    spec: FormSpec,
    stored_as: Mapping[str, str],
) -> Response:
    try:
        key = checked_idempotency_key(key)
        gateway.limiter.take(caller.owner or (request.client.host if request.client else "unknown"))
        if key is None:  # a repeated key is answered also when nothing new is accepted
            await gateway.acceptance.refuse_when_full()
        async with received_form(request, spec, gateway.settings.max_upload_bytes) as form:
            photos = {stored_as[name]: upload for name, upload in form.photos.items()}
            submission = Submission(kind, options_of(kind, form.fields), photos, caller.owner, key)
            accepted = await gateway.acceptance.accept(submission)
            size_bytes = sum(upload.size_bytes for upload in photos.values())
    except FacekitError as error:
        gateway.metrics.submissions.labels(kind.name, error.code).inc()
        raise
    gateway.metrics.submissions.labels(kind.name, "replayed" if accepted.replayed else "accepted").inc()
    if not accepted.replayed:
        gateway.metrics.uploaded_bytes.labels(kind.name).inc(size_bytes)
    return _accepted(accepted)


def _accepted(accepted: Accepted) -> Response:
    job = accepted.job
    log.info("%s %s", job.kind, "replayed" if accepted.replayed else "accepted", extra={"job_id": job.id})
    headers: Mapping[str, Any] = {
        "Location": f"/v1/jobs/{job.id}",
        "Retry-After": "1",
        "Cache-Control": "no-store",
        **({"Idempotent-Replayed": "true"} if accepted.replayed else {}),
    }
    return Response(job_view(job).model_dump_json(), 202, headers, "application/json")


for _kind in KINDS.values():
    _add_route(_kind)
