"""About: what a setting says of itself beside its type, for the papers `make settings` writes and for refusals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

PREFIX = "FACEKIT_"


@dataclass(frozen=True, slots=True)
class About:
    """The note of one setting: `port: Annotated[int, About("Address", "The port ...", ("gateway",))] = 8080`."""

    group: str
    """The heading it stands under."""
    what: str
    """Sentences for whoever sets it."""
    readers: tuple[str, ...]
    """The programs that use it, as readers.py names them; one worker alone by the name of its stage."""
    default: str = ""
    """The default in words, where the value alone would say nothing."""
    accepts: str = ""
    """What is accepted, in words, where the type alone does not say it."""
    unit: str = ""
    fixed: str = ""
    """Why the stack does not take it from `.env`. Empty: it does."""
    stack_default: str = ""
    """The default in the stack, where it is another one."""


def about(field: FieldInfo) -> About:
    return next(note for note in field.metadata if isinstance(note, About))


def variable(name: str) -> str:
    """The environment variable of a setting: `max_pixels` is FACEKIT_MAX_PIXELS."""
    return PREFIX + name.upper()


def accepted(field: FieldInfo) -> str:
    """What a setting takes, in words: `a whole number from 1 to 65535`."""
    note = about(field)
    if note.accepts:
        return note.accepts
    kind = field.annotation
    if get_origin(kind) is UnionType:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        *others, last = get_args(kind)
        return f"{', '.join(others)} or {last}"
    if kind is bool:
        return "true or false"
    if kind is Path:
        return "a path"
    if kind not in (int, float):
        return "text"
    number = "a whole number" if kind is int else "a number"
    return f"{number}{_limits(field)}{f', in {note.unit}' if note.unit else ''}"


def _limits(field: FieldInfo) -> str:
    least = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    most = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    above = next((limit.gt for limit in field.metadata if isinstance(limit, Gt)), None)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f", {least} or more"
    return f" above {above}" if above is not None else ""
