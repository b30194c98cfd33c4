"""The text fields of a submission, checked by the schemas and explained in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from services.common.errors import InvalidValue, UnknownAttribute
from services.common.schemas import ATTRIBUTES, DetectionOptions, Schema, VerificationOptions

Fields = Mapping[str, Sequence[str]]
Options = TypeVar("Options", bound=Schema)


def detection_options(fields: Fields) -> DetectionOptions:
    """`analyze` may be repeated, separated by commas, or both; an empty one asks for nothing.

    Raises UnknownAttribute, InvalidValue.
    """
    asked = [name.strip().lower() for text in fields.get("analyze", ()) for name in text.split(",") if name.strip()]
    unknown = sorted(set(asked) - set(ATTRIBUTES))
    if unknown:
        names = ", ".join(repr(name[:40]) for name in unknown)
        raise UnknownAttribute(f"{names} cannot be analyzed; what can be is {', '.join(ATTRIBUTES)}")
    values: dict[str, Any] = {"analyze": [name for name in ATTRIBUTES if name in asked]}
    return _validated(DetectionOptions, values | _single(fields, "min_confidence", "max_faces"))


def verification_options(fields: Fields) -> VerificationOptions:
    """Raises InvalidValue, also for `max_far` and `threshold` together: either says where the decision lies."""
    values = _single(fields, "max_far", "threshold")
    if len(values) > 1:
        raise InvalidValue("give max_far or threshold, not both: each of them says where the decision lies")
    return _validated(VerificationOptions, values)


def _single(fields: Fields, *names: str) -> dict[str, Any]:
    """The fields that are there and not empty. Raises InvalidValue for one sent twice."""
    values: dict[str, Any] = {}
    for name in names:
        given = [text.strip() for text in fields.get(name, ()) if text.strip()]
        if len(given) > 1:
            raise InvalidValue(f"{name} was given {len(given)} times")
        if given:
            values[name] = given[0]
    return values


def _validated(schema: type[Options], values: Mapping[str, Any]) -> Options:
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidValue(f"{name}: {first['msg']}, not {str(first['input'])[:40]!r}") from None
