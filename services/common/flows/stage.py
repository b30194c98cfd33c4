"""StageSpec: what everybody may know of a model service without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from services.common.schemas import Schema

Takes = TypeVar("Takes", bound=Schema)
Gives = TypeVar("Gives", bound=Schema)


class StageWords(NamedTuple):
    """A stage in the words of the page: `label` names the step ("Find faces"), `doing` says it is under way ("Finding
    faces"), `noun` stands before its time ("finding faces 38 ms")."""

    label: str
    doing: str
    noun: str


@dataclass(frozen=True, slots=True)
class StageSpec(Generic[Takes, Gives]):
    """A stage: its name, the schema it is asked with and the one it answers with, the tasks whose bundles it loads
    (each with a sentence on what such a model does), and its words for people."""

    name: str
    takes: type[Takes]
    gives: type[Gives]
    tasks: Mapping[str, str]
    words: StageWords
