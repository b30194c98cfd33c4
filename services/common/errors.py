"""One exception tree: each error has a stable code, an HTTP status and says whether a retry can help."""

from __future__ import annotations

from typing import ClassVar


class FacekitError(Exception):
    """Anything facekit reports on purpose.

    `code` is stable and part of the API; `title` is the short human name of the problem (RFC 9457);
    the message passed in is its detail, a sentence a user can act on.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after_s = retry_after_s


class UnsupportedFormat(FacekitError):
    code, status, title = "unsupported_format", 415, "Unsupported image format"


class ImageTooLarge(FacekitError):
    code, status, title = "image_too_large", 413, "Image file too large"


class TooManyPixels(FacekitError):
    code, status, title = "too_many_pixels", 413, "Image has too many pixels"


class ImageCorrupt(FacekitError):
    code, status, title = "image_corrupt", 422, "Image cannot be decoded"


class ImageTooCostly(FacekitError):
    """A photo within every limit whose decoding needs more memory than a process has for one."""

    code, status, title = "image_too_costly", 422, "Image takes too much memory to decode"


class ImageEmpty(FacekitError):
    code, status, title = "image_empty", 422, "Image file is empty"


class MissingField(FacekitError):
    code, status, title = "missing_field", 422, "A required field is missing"


class UnexpectedField(FacekitError):
    code, status, title = "unexpected_field", 422, "Unknown form field"


class UnknownAttribute(FacekitError):
    code, status, title = "unknown_attribute", 422, "Unknown attribute"


class InvalidValue(FacekitError):
    code, status, title = "invalid_value", 422, "A value is not acceptable"


class InvalidJobId(FacekitError):
    code, status, title = "invalid_job_id", 422, "Malformed job id"


class InvalidCursor(FacekitError):
    code, status, title = "invalid_cursor", 422, "Malformed page cursor"


class IdempotencyConflict(FacekitError):
    code, status, title = "idempotency_conflict", 422, "Idempotency-Key was used with another payload"


class NoSuchJob(FacekitError):
    code, status, title = "no_such_job", 404, "No such job"


class NoSuchImage(FacekitError):
    code, status, title = "no_such_image", 404, "No such image"


class NotFound(FacekitError):
    code, status, title = "not_found", 404, "Not found"


class MethodNotAllowed(FacekitError):
    code, status, title = "method_not_allowed", 405, "Method not allowed"


class NotCancellable(FacekitError):
    code, status, title = "not_cancellable", 409, "The job has already ended"


class Unauthorized(FacekitError):
    code, status, title = "unauthorized", 401, "API key missing or wrong"


class Forbidden(FacekitError):
    code, status, title = "forbidden", 403, "This API key may not do that"


class RateLimited(FacekitError):
    code, status, title, retryable = "rate_limited", 429, "Too many requests", True


class QueueFull(FacekitError):
    code, status, title, retryable = "queue_full", 503, "The queue is full", True


class StorageFull(FacekitError):
    code, status, title, retryable = "storage_full", 507, "No space left to store photos", True


class Unavailable(FacekitError):
    """A store, database or queue that does not answer right now."""

    code, status, title, retryable = "unavailable", 503, "A part of the system does not answer", True


class InternalError(FacekitError):
    pass


# What a job can fail with, beside the image errors above.


class NoFaceInAnchor(FacekitError):
    code, status, title = "no_face_in_anchor", 422, "No face was found in the anchor photo"


class WeightsUnavailable(FacekitError):
    code, status, title = "weights_unavailable", 503, "Model weights are not on this machine"


class WorkerLost(FacekitError):
    code, status, title = "worker_lost", 500, "The worker was lost too many times"


class ObjectMissing(FacekitError):
    """An object that the store does not hold."""

    code, status, title = "object_missing", 404, "Stored object is missing"


class DeviceUnavailable(FacekitError):
    """A device to compute on that was asked for by name and is not to be had."""

    code, title = "device_unavailable", "The device asked for is not available"


class BundleInvalid(FacekitError):
    """A model bundle that is incomplete, altered or of another schema."""

    code, title = "bundle_invalid", "Model bundle is not valid"


class GoldenMismatch(BundleInvalid):
    """A model that does not reproduce the outputs recorded with it."""

    code, title = "golden_mismatch", "Model does not reproduce its golden outputs"


def every_error() -> list[type[FacekitError]]:
    """All error classes, for documentation and tests; sorted by code."""
    found: dict[str, type[FacekitError]] = {}
    pending = [FacekitError]
    while pending:
        parent = pending.pop()
        pending.extend(parent.__subclasses__())
        found.setdefault(parent.code, parent)
    return [found[code] for code in sorted(found)]
