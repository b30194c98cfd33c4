"""Settings: every setting of facekit, once, read from `FACEKIT_*` variables when it is called and never at import."""

from __future__ import annotations

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.common.settings.about import PREFIX
from services.common.settings.limits import Limits
from services.common.settings.places import Places
from services.common.settings.work import Work


class Settings(Work, Limits, Places, BaseSettings):
    """Programs get it from `load_settings`. After a change of a field `make settings` writes the papers again."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: dict[str, object]) -> dict[str, object]:
        """An empty variable, as compose writes an unset one, means the default."""
        return {name: value for name, value in values.items() if value != ""}
