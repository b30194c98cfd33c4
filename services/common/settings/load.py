"""The door of every program to its settings: variables of the shell, then the file `.env`, then the defaults.

What cannot be used ends the program with code 2 and a line for each: what is wrong, and what is accepted.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from pydantic import ValidationError

from services.common.settings.about import PREFIX, accepted, variable
from services.common.settings.names import ENV_FILE, OTHER_NAMES, is_other
from services.common.settings.settings import Settings

_ENV_FILE: Final = Path(__file__).resolve().parents[3] / ".env"
KNOWN: Final = (*map(variable, Settings.model_fields), *OTHER_NAMES)


class SettingsInvalid(Exception):
    """A line for each setting that cannot be used."""


def load_settings(overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings of this program. `overrides` are `FACEKIT_*` variables before all others. Ends the program, with
    code 2, when one of them cannot be used."""
    try:
        return settings_of({**environment(), **(overrides or {})})
    except SettingsInvalid as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def environment() -> dict[str, str]:
    """Every `FACEKIT_*` variable of the shell and of `.env`. A variable of the shell wins, an empty one too: it means
    the default. Raises SettingsInvalid."""
    named = os.environ.get(ENV_FILE)
    path = Path(named) if named else _ENV_FILE
    if named and not path.exists():
        raise SettingsInvalid(f"{ENV_FILE}: {named!r} cannot be used; accepted is the path of a file that is there")
    try:
        filed = dotenv_values(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: cannot be read; {error}") from error
    both = {**{name: value or "" for name, value in filed.items()}, **os.environ}
    return {name: value for name, value in both.items() if name.startswith(PREFIX)}


def settings_of(variables: Mapping[str, str]) -> Settings:
    """Settings of these variables and no others. Raises SettingsInvalid."""
    problems = [
        f"{name}: there is no such setting; the nearest is {difflib.get_close_matches(name, KNOWN, 1, 0.0)[0]}"
        for name in variables
        if name not in KNOWN and not is_other(name)
    ]
    fields = Settings.model_fields
    given = {field: variables.get(variable(field), "") for field in fields}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        # A default that follows from a wrong value has an error of its own, which says nothing.
        wrong = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
        for field, value in ((str(one["loc"][0]), one["input"]) for one in wrong):
            problems.append(f"{variable(field)}: {value!r} cannot be used; accepted is {accepted(fields[field])}")
    if problems:
        raise SettingsInvalid("\n".join(problems))
    return settings
