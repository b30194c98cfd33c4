"""GET /v1/jobs/{id}/images/{name}: originals, crops and annotated pictures, through the gateway."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.common.errors import (
    FacekitError,
    InvalidJobId,
    NoSuchImage,
    NoSuchJob,
    ObjectMissing,
    Unauthorized,
    Unavailable,
    UnexpectedField,
)
from services.common.jobs import Job, JobStatus, object_key
from services.common.photos.image_format import SNIFF_BYTES, ImageFormat, sniff
from services.common.photos.imaging import at_most, decode, encode_jpeg
from services.gateway.annotated import annotate
from services.gateway.context import Gateway, JobId, Reader, TheGateway
from services.gateway.problems import declared

router = APIRouter(prefix="/v1/jobs", tags=["images"])

ANNOTATED: Final = "annotated"
THUMBNAIL_SIDE_PX: Final = 512  # sharp on a card of a dense screen
# Of which stored photo each small picture is made.
THUMBNAILS: Final = {"thumbnail": "original", "anchor-thumbnail": "anchor"}
# Chips and whatever else stages hand each other are not for users.
_NAMES: Final = re.compile(r"original|anchor|annotated|(anchor-)?thumbnail|([a-z]+-)?preview|([a-z]+-)?face(-\d{1,4})?")
_HEADERS: Final = {
    # The images of a job never change; an hour keeps deleted photos from living on in a browser.
    "Cache-Control": "private, max-age=3600, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@router.get(
    "/{job_id}/images/{name}",
    response_class=Response,
    responses=declared(NoSuchImage, NoSuchJob, InvalidJobId, UnexpectedField, Unauthorized, Unavailable)
    | {
        200: {
            "description": "The picture",
            "content": {fmt.media_type: {"schema": {"type": "string", "format": "binary"}} for fmt in ImageFormat},
        },
        304: {"description": "Not changed since the given `If-None-Match`"},
    },
    operation_id="get_image",
)
def get_image(
    request: Request,
    gateway: TheGateway,
    caller: Reader,
    job_id: JobId,
    name: Annotated[str, Path(description="As the result names it, such as `face-0`")],
    download: Annotated[bool, Query(description="Answer as a file to save")] = False,
) -> Response:
    """`original`, `anchor`, `annotated`, `face-0` and so on, as the job's result names them; `thumbnail` and
    `anchor-thumbnail` are the photos, made small."""
    job = gateway.job_of(caller, job_id)
    if not _NAMES.fullmatch(name):
        raise NoSuchImage(f"job {job.id} has no image {name[:80]!r}")
    etag = f'"{job.id}-{name}"'
    matched = etag in (part.strip() for part in request.headers.get("if-none-match", "").split(","))
    headers = {**_HEADERS, "ETag": etag}
    made = name == ANNOTATED or name in THUMBNAILS
    if matched and (made or gateway.store.exists(object_key(job.id, name))):
        return Response(status_code=304, headers=headers)
    if name == ANNOTATED:
        image_format, chunks = ImageFormat.JPEG, iter((_annotated(gateway, job),))
    elif name in THUMBNAILS:
        image_format, chunks = ImageFormat.JPEG, iter((_thumbnail(gateway, job, THUMBNAILS[name]),))
    else:
        image_format, chunks = _stored(gateway, job, name)
    filename = f"facekit-{job.id}-{name}.{image_format.extension}"
    headers["Content-Disposition"] = f'{"attachment" if download else "inline"}; filename="{filename}"'
    return StreamingResponse(_counted(gateway, chunks), headers=headers, media_type=image_format.media_type)


def _stored(gateway: Gateway, job: Job, name: str) -> tuple[ImageFormat, Iterator[bytes]]:
    """The object's format, by its content, and its chunks. Raises NoSuchImage."""
    try:
        chunks = gateway.store.stream(object_key(job.id, name))
        first = next(chunks, b"")
        return sniff(first[:SNIFF_BYTES]), itertools.chain((first,), chunks)
    except ObjectMissing:
        raise NoSuchImage(f"job {job.id} has no image {name!r}") from None
    except FacekitError as error:
        if error.retryable:
            raise
        raise NoSuchImage(f"{name!r} of job {job.id} is not an image") from None


def _annotated(gateway: Gateway, job: Job) -> bytes:
    """Drawn when asked for. Raises NoSuchImage for a job without result."""
    if job.status is not JobStatus.SUCCEEDED or job.result is None:
        raise NoSuchImage(f"job {job.id} has no annotated image: it is {job.status.value}")
    content = _photo(gateway, job, "original")
    with gateway.acceptance.decoding:
        return encode_jpeg(annotate(decode(content, gateway.settings.max_pixels), job.result))


def _thumbnail(gateway: Gateway, job: Job, of: str) -> bytes:
    """Made when asked for; browsers keep it. Raises NoSuchImage."""
    content = _photo(gateway, job, of)
    with gateway.acceptance.decoding:
        photo_rgb = decode(content, gateway.settings.max_pixels, at_least_px=THUMBNAIL_SIDE_PX)
        return encode_jpeg(at_most(photo_rgb, THUMBNAIL_SIDE_PX), quality=80)


def _photo(gateway: Gateway, job: Job, name: str) -> bytes:
    try:
        return gateway.store.get(object_key(job.id, name))
    except ObjectMissing:
        raise NoSuchImage(f"job {job.id} has no image {name!r}") from None


def _counted(gateway: Gateway, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        gateway.metrics.image_bytes.inc(len(chunk))
        yield chunk
