"""What the document cannot say of a request that is right: its photos are photos, and no two share an idempotency key.

Schemathesis imports this module (SCHEMATHESIS_HOOKS) before it makes requests.
"""

from __future__ import annotations

import io
import itertools
from typing import Any, Final

import schemathesis
from hypothesis import strategies
from PIL import Image
from pillow_heif import register_heif_opener
from schemathesis import Case, HookContext

from services.common.photos.image_format import ImageFormat

SIDE_PX: Final = 32
KEY: Final = "Idempotency-Key"
KEY_LENGTH: Final = 240  # of a generated key, so that a number has room behind it
_PILLOW: Final = {
    ImageFormat.JPEG: "JPEG",
    ImageFormat.PNG: "PNG",
    ImageFormat.WEBP: "WEBP",
    ImageFormat.HEIC: "HEIF",
    ImageFormat.AVIF: "AVIF",
}
_numbers: Final = itertools.count()


def photo(image_format: ImageFormat) -> bytes:
    """A grey square."""
    written = io.BytesIO()
    Image.new("RGB", (SIDE_PX, SIDE_PX), (128, 128, 128)).save(written, _PILLOW[image_format])
    return written.getvalue()


register_heif_opener()
for _format in ImageFormat:
    schemathesis.openapi.media_type(_format.media_type, strategies.just(photo(_format)))


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """A key used again with another photo is refused, rightly; wrong keys stay as they are."""
    if case.meta is not None and case.meta.generation.mode.is_positive and KEY in case.headers:
        case.headers[KEY] = f"{case.headers[KEY][:KEY_LENGTH]}-{next(_numbers)}"
