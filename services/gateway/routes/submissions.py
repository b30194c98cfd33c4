"""POST /v1/detections and /v1/verifications: a photo, or two, become a job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
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
    UnknownAttribute,
    UnsupportedFormat,
)
from services.common.jobs import JobKind
from services.common.schemas import JobView, Schema, job_view
from services.gateway.acceptance import Accepted, Submission, checked_idempotency_key
from services.gateway.access import Caller
from services.gateway.context import Gateway, Submitter, TheGateway
from services.gateway.examples import ACCEPTED, DETECTION_FORM, VERIFICATION_FORM
from services.gateway.options import Fields, detection_options, verification_options
from services.gateway.problems import declared
from services.gateway.uploads import FormSpec, received_form

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["submissions"])

DETECTION: Final = FormSpec(photos=("image",), fields=("analyze", "min_confidence", "max_faces"))
VERIFICATION: Final = FormSpec(photos=("anchor", "image"), fields=("max_far", "threshold"))
# What each photo is called in the object store.
STORED_AS: Final = {"image": "original", "anchor": "anchor"}

_PROBLEMS: Final = (
    *(UnsupportedFormat, ImageTooLarge, TooManyPixels, ImageCorrupt, ImageEmpty, ImageTooCostly),
    *(MissingField, UnexpectedField),
    *(InvalidValue, IdempotencyConflict, Unauthorized, Forbidden, RateLimited, QueueFull, StorageFull, Unavailable),
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="At most 255 printable ASCII characters. Sent again with the same photos and options, it answers "
        "with the first job (and `Idempotent-Replayed: true`) instead of making a second one.",
    ),
]


@router.post(
    "/detections",
    status_code=202,
    response_model=JobView,
    responses=declared(*_PROBLEMS, UnknownAttribute) | ACCEPTED,
    openapi_extra=DETECTION_FORM,
    operation_id="detect",
)
async def detect(
    request: Request, gateway: TheGateway, caller: Submitter, idempotency_key: IdempotencyKey = None
) -> Response:
    """Finds the faces of a photo and, where asked, estimates age, gender, ethnicity and emotion of each."""
    return await _submit(request, gateway, caller, idempotency_key, JobKind.DETECTION, DETECTION, detection_options)


@router.post(
    "/verifications",
    status_code=202,
    response_model=JobView,
    responses=declared(*_PROBLEMS) | ACCEPTED,
    openapi_extra=VERIFICATION_FORM,
    operation_id="verify",
)
async def verify(
    request: Request, gateway: TheGateway, caller: Submitter, idempotency_key: IdempotencyKey = None
) -> Response:
    """Compares the face of the anchor photo with every face of a second photo."""
    return await _submit(
        request, gateway, caller, idempotency_key, JobKind.VERIFICATION, VERIFICATION, verification_options
    )


async def _submit(
    request: Request,
    gateway: Gateway,
    caller: Caller,
    key: str | None,
    kind: JobKind,
    spec: FormSpec,
    options_of: Callable[[Fields], Schema],
) -> Response:
    try:
        key = checked_idempotency_key(key)
        gateway.limiter.take(caller.owner or (request.client.host if request.client else "unknown"))
        if key is None:  # a repeated key is answered also when nothing new is accepted
            await gateway.acceptance.refuse_when_full()
        async with received_form(request, spec, gateway.settings.max_upload_bytes) as form:
            photos = {STORED_AS[name]: upload for name, upload in form.photos.items()}
            submission = Submission(kind, options_of(form.fields).model_dump(), photos, caller.owner, key)
            accepted = await gateway.acceptance.accept(submission)
            size_bytes = sum(upload.size_bytes for upload in photos.values())
    except FacekitError as error:
        gateway.metrics.submissions.labels(kind.value, error.code).inc()
        raise
    gateway.metrics.submissions.labels(kind.value, "replayed" if accepted.replayed else "accepted").inc()
    if not accepted.replayed:
        gateway.metrics.uploaded_bytes.labels(kind.value).inc(size_bytes)
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
