"""GET /v1/jobs/{id}/faces.zip: every face of a result as a picture of its own, in one archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse
from zipstream import ZIP_STORED, ZipStream

from services.common.errors import InvalidJobId, NoSuchImage, NoSuchJob, Unauthorized, Unavailable, UnexpectedField
from services.common.jobs import JobStatus, object_key
from services.gateway.context import Gateway, JobId, Reader, TheGateway
from services.gateway.problems import declared

router = APIRouter(prefix="/v1/jobs", tags=["images"])

MEDIA_TYPE: Final = "application/zip"


@router.get(
    "/{job_id}/faces.zip",
    response_class=Response,
    responses=declared(NoSuchImage, NoSuchJob, InvalidJobId, UnexpectedField, Unauthorized, Unavailable)
    | {
        200: {
            "description": "A ZIP archive of JPEGs",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    operation_id="get_faces",
)
def get_faces(gateway: TheGateway, caller: Reader, job_id: JobId) -> Response:
    """Every face that the job's result shows, named as there: `face-0.jpg` and so on."""
    job = gateway.job_of(caller, job_id)
    if job.status is not JobStatus.SUCCEEDED or job.result is None:
        raise NoSuchImage(f"job {job.id} has no faces: it is {job.status.value}")
    names = sorted(set(_crops(job.result)), key=lambda name: (len(name), name))
    # Found missing only later, a picture ends the archive where it is cut off, which no download takes for whole.
    if names and not gateway.store.exists(object_key(job.id, names[0])):
        raise NoSuchImage(f"the faces of job {job.id} are gone")
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="facekit-{job.id}-faces.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_archive(gateway, job.id, names), headers=headers, media_type=MEDIA_TYPE)


def _crops(result: Any) -> Iterator[str]:
    """The names of the faces' pictures, wherever in a result of any kind they are."""
    if isinstance(result, dict):
        if isinstance(url := result.get("crop_url"), str):
            yield url.rpartition("/")[2]
        result = list(result.values())
    if isinstance(result, list):
        for part in result:
            yield from _crops(part)


def _archive(gateway: Gateway, job_id: str, names: list[str]) -> Iterator[bytes]:
    """Piece by piece: a picture is read when its turn has come. Stored as they are, since JPEGs do not get smaller."""
    archive = ZipStream(compress_type=ZIP_STORED)
    for name in names:
        archive.add(_picture(gateway, object_key(job_id, name)), f"{name}.jpg")
    for chunk in archive:
        gateway.metrics.image_bytes.inc(len(chunk))
        yield chunk


def _picture(gateway: Gateway, key: str) -> Iterator[bytes]:
    """Opened only when it is read: a thousand faces are not a thousand open files."""
    yield from gateway.store.stream(key)
