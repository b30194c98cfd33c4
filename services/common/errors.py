"""One exception tree: each error has a stable code, an HTTP status and says whether a retry can help."""

from __future__ import annotations

from typing import ClassVar


class FacekitError(Exception):
    """Anything facekit reports on purpose.

    `code` is stable and part of the API; `title` says in a few words what happened (RFC 9457) and `advice` what to do
    about it, for any case of it; the message passed in is the detail of this case. `retryable`: the same request can
    succeed later. `about_photo`: only another photo can help. Every problem and every failed job carries these words,
    and /v1/vocabulary lists them: page and client have no list of their own.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The server made a mistake"
    advice: ClassVar[str] = "Try again. If it stays, its log tells why."
    retryable: ClassVar[bool] = False
    about_photo: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after_s = retry_after_s


class BadRequest(FacekitError):
    """What is no HTTP; only nginx says it, in frontend/nginx.conf."""

    code, status = "bad_request", 400
    title = "The server could not read the request"
    advice = "Reload the page and try again."


class UnsupportedFormat(FacekitError):
    code, status = "unsupported_format", 415
    title = "This is not a photo we can read"
    advice = "Use a JPEG, PNG, WebP, HEIC or AVIF picture."
    about_photo = True


class ImageTooLarge(FacekitError):
    code, status = "image_too_large", 413
    title = "This file is too large"
    advice = "Save a smaller copy and try that."
    about_photo = True


class TooManyPixels(FacekitError):
    code, status = "too_many_pixels", 413
    title = "This photo has too many pixels"
    advice = "Scale it down and try again."
    about_photo = True


class ImageCorrupt(FacekitError):
    code, status = "image_corrupt", 422
    title = "This photo is damaged"
    advice = "It could not be read to the end. Try another copy of it."
    about_photo = True


class ImageTooCostly(FacekitError):
    """A photo within every limit whose decoding needs more memory than a process has for one."""

    code, status = "image_too_costly", 422
    title = "This photo takes too much memory"
    advice = "Save it anew, smaller or in another format, and try that."
    about_photo = True


class ImageEmpty(FacekitError):
    code, status = "image_empty", 422
    title = "This file is empty"
    advice = "It holds no data at all. Try another copy of it."
    about_photo = True


class MissingField(FacekitError):
    code, status = "missing_field", 422
    title = "Something is missing"
    advice = "A photo did not arrive with the request. Choose it again."


class UnexpectedField(FacekitError):
    code, status = "unexpected_field", 422
    title = "The server did not expect this"
    advice = "The page and the server may differ in version: reload the page."


class UnknownAttribute(FacekitError):
    code, status = "unknown_attribute", 422
    title = "The server does not know this estimate"
    advice = "Ask for one that it knows; the detail lists them."


class InvalidValue(FacekitError):
    code, status = "invalid_value", 422
    title = "A setting is out of range"
    advice = "Check the options and try again."


class InvalidJobId(FacekitError):
    code, status = "invalid_job_id", 422
    title = "This is not a job"
    advice = "The address is incomplete. Open the job from History."


class InvalidCursor(FacekitError):
    code, status = "invalid_cursor", 422
    title = "The list has moved on"
    advice = "Load the list again from the top."


class IdempotencyConflict(FacekitError):
    code, status = "idempotency_conflict", 422
    title = "This was already sent with another photo"
    advice = "Send it once more, under a key of its own."


class NoSuchJob(FacekitError):
    code, status = "no_such_job", 404
    title = "This job is gone"
    advice = "It was deleted, or its time to be kept is over."


class NoSuchImage(FacekitError):
    code, status = "no_such_image", 404
    title = "This picture is gone"
    advice = "It was deleted together with its job, or there never was one of this name."


class NotFound(FacekitError):
    code, status = "not_found", 404
    title = "There is nothing at this address"
    advice = "Check the address."


class MethodNotAllowed(FacekitError):
    code, status = "method_not_allowed", 405
    title = "The server refuses this action"
    advice = "The page and the server may differ in version: reload the page."


class NotCancellable(FacekitError):
    code, status = "not_cancellable", 409
    title = "Too late to cancel"
    advice = "The job has already ended."


class Unauthorized(FacekitError):
    code, status = "unauthorized", 401
    title = "This server wants an API key"
    advice = "Ask whoever runs it for one, then try again."


class Forbidden(FacekitError):
    code, status = "forbidden", 403
    title = "Your API key may not do this"
    advice = "Ask whoever runs the server for a key that may."


class UnknownHost(FacekitError):
    """A request for a name this server was not told it has: a stranger's page may have pointed its own name here."""

    code, status = "unknown_host", 421
    title = "This server does not go by that name"
    advice = "Use its address, or have the name added to FACEKIT_HOSTS."


class RateLimited(FacekitError):
    code, status = "rate_limited", 429
    title = "That was a lot of photos"
    advice = "It goes on in a moment."
    retryable = True


class QueueFull(FacekitError):
    code, status = "queue_full", 503
    title = "The queue is full"
    advice = "There is room again soon."
    retryable = True


class StorageFull(FacekitError):
    code, status = "storage_full", 507
    title = "The server has no space left"
    advice = "Delete old jobs, or tell whoever runs the server."
    retryable = True


class Unavailable(FacekitError):
    """A store, database or queue that does not answer right now."""

    code, status = "unavailable", 503
    title = "A part of the server does not answer"
    advice = "This passes by itself, mostly soon."
    retryable = True


class InternalError(FacekitError):
    pass


# What a job can fail with, beside the image errors above.


class NoFaceInAnchor(FacekitError):
    code, status = "no_face_in_anchor", 422
    title = "No face in the anchor photo"
    advice = "Choose a photo in which the face is larger, sharper or seen from the front."
    about_photo = True


class WeightsUnavailable(FacekitError):
    code, status = "weights_unavailable", 503
    title = "A model is not installed"
    advice = "The weights this job needs are not on the server. Tell whoever runs it."


class WorkerLost(FacekitError):
    code, status = "worker_lost", 500
    title = "The work was interrupted too often"
    advice = "The program that does it kept stopping: perhaps this photo stops it. Try another copy of it."


class ObjectMissing(FacekitError):
    """An object that the store does not hold."""

    code, status = "object_missing", 404
    title = "A stored photo is missing"
    advice = "The server lost it before the work was done. Send it again."


class DeviceUnavailable(FacekitError):
    """A device to compute on that was asked for by name and is not to be had."""

    code = "device_unavailable"
    title = "The server lacks a device it needs"
    advice = "Tell whoever runs the server: its log says which."


class BundleInvalid(FacekitError):
    """A model bundle that is incomplete, altered or of another schema."""

    code = "bundle_invalid"
    title = "A model on the server is broken"
    advice = "Its files are incomplete or altered. Tell whoever runs the server."


class GoldenMismatch(BundleInvalid):
    """A model that does not reproduce the outputs recorded with it."""

    code = "golden_mismatch"
    title = "A model on the server misbehaves"
    advice = "It fails its own check, so it does not answer. Tell whoever runs the server."


def every_error() -> list[type[FacekitError]]:
    """All error classes, for documentation and tests; sorted by code."""
    found: dict[str, type[FacekitError]] = {}
    pending = [FacekitError]
    while pending:
        parent = pending.pop()
        pending.extend(parent.__subclasses__())
        found.setdefault(parent.code, parent)
    return [found[code] for code in sorted(found)]


def error_named(code: str) -> type[FacekitError]:
    """The error with this code; an internal one for a code that this version does not know."""
    return next((error for error in every_error() if error.code == code), InternalError)
