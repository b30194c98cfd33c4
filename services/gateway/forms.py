"""The form of a kind of job: which fields it takes, how OpenAPI shows it, and the options its text fields make."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from services.common.errors import InvalidValue
from services.common.flows.kind import Kind, Options
from services.common.photos.image_format import ImageFormat
from services.common.schemas import Schema
from services.gateway.uploads import FormSpec

Fields = Mapping[str, Sequence[str]]


def form_of(kind: Kind[Any, Any]) -> FormSpec:
    """A file field for each photo, a text field for each option."""
    return FormSpec(tuple(photo.name for photo in kind.photos), tuple(kind.options.model_fields))


def options_of(kind: Kind[Options, Any], fields: Fields) -> Options:
    """An empty field is one that is not there. A list may be repeated, separated by commas, or both.

    Raises InvalidValue, and what the options' own validators raise.
    """
    lists = _lists(kind.options)
    values: dict[str, Any] = {}
    for name, texts in fields.items():
        given = [text.strip() for text in texts if text.strip()]
        if name in lists:
            values[name] = [part.strip() for text in given for part in text.split(",") if part.strip()]
        elif len(given) > 1:
            raise InvalidValue(f"{name} was given {len(given)} times")
        elif given:
            values[name] = given[0]
    try:
        return kind.options.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValue(f"{where}: {first['msg']}, not {str(first['input'])[:40]!r}") from None


@functools.cache
def _lists(options: type[Schema]) -> frozenset[str]:
    """The options that hold several values. Kept: making a schema takes longer than reading a form by it."""
    properties = options.model_json_schema()["properties"]
    return frozenset(name for name, shape in properties.items() if shape.get("type") == "array")


def form_schema(kind: Kind[Any, Any]) -> dict[str, Any]:
    """`openapi_extra` of the kind's route."""
    photos = {
        photo.name: {"type": "string", "format": "binary", "description": photo.description} for photo in kind.photos
    }
    shape = kind.options.model_json_schema()
    schema = {
        "type": "object",
        "required": [photo.name for photo in kind.photos],
        "additionalProperties": False,
        "properties": {**photos, **{name: _text_field(field) for name, field in shape["properties"].items()}},
        **({"not": shape["not"]} if "not" in shape else {}),
    }
    pictures = {"contentType": ", ".join(fmt.media_type for fmt in ImageFormat)}
    form = {"schema": schema, "encoding": dict.fromkeys(photos, pictures)}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": form}}}


def _text_field(shape: Mapping[str, Any]) -> dict[str, Any]:
    """An option as a form's text says it: a list is one text with commas, and an empty text leaves an option out."""
    words = {name: shape[name] for name in ("description", "default") if shape.get(name) is not None}
    if shape.get("type") == "array":
        words.pop("default", None)
        one = "|".join(shape["items"]["enum"])
        listed = {"type": "string", "pattern": f"^(({one})(, *({one}))*)?$"}
        return {**listed, **words, **({"example": shape["examples"][0]} if "examples" in shape else {})}
    alternatives = [each for each in shape.get("anyOf", [shape]) if each.get("type") != "null"]
    limits = {name: value for name, value in alternatives[0].items() if name not in ("title", "examples", *words)}
    return {"anyOf": [limits, {"type": "string", "maxLength": 0}], **words}
