"""Values of settings as the papers write them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.common.settings import Settings
from services.common.settings.about import about

Field = tuple[str, FieldInfo]


def groups() -> Iterator[tuple[str, list[Field]]]:
    """Each heading with its settings, as the class has them."""
    for title, fields in groupby(Settings.model_fields.items(), key=lambda field: about(field[1]).group):
        yield title, list(fields)


def plain(field: FieldInfo) -> str:
    """The default as a variable would hold it; empty where it is none, or follows from something else."""
    value: Any = field.default
    if about(field).default or value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def for_people(field: FieldInfo) -> str:
    """The default for a table: in words, or as code, large numbers with commas."""
    if words := about(field).default:
        return words
    if type(field.default) is int and field.default >= 10_000:
        return f"{field.default:,}"
    return f"`{plain(field)}`" if plain(field) else "none"
