"""Outputs: what the stages of one job have answered so far, typed where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from services.common.errors import InternalError
from services.common.flows.stage import Gives, StageSpec
from services.common.schemas import Schema


class Outputs:
    """`outputs[STAGE]` is what that stage gave: checked once, when it is first read in this process."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        self._stored: dict[str, Any] = dict(stored or {})
        self._read: dict[str, Schema] = {}

    def __getitem__(self, stage: StageSpec[Any, Gives]) -> Gives:
        """Raises InternalError when the stage has not run, or stored what its schema refuses."""
        found = self._read.get(stage.name)
        if found is None:
            try:
                found = self._read[stage.name] = stage.gives.model_validate(self._stored[stage.name])
            except KeyError:
                raise InternalError(f"the stage {stage.name} has left nothing for this job") from None
            except ValidationError as error:
                message = error.errors()[0]["msg"]
                raise InternalError(f"what the stage {stage.name} left cannot be read: {message}") from error
        if not isinstance(found, stage.gives):
            raise InternalError(f"the stage {stage.name} gave {type(found).__name__}, not {stage.gives.__name__}")
        return found

    def __setitem__(self, stage: StageSpec[Any, Gives], given: Gives) -> None:
        self._read[stage.name] = given

    def __contains__(self, stage: StageSpec[Any, Any]) -> bool:
        return stage.name in self._read or stage.name in self._stored

    def stored(self) -> dict[str, Any]:
        """As JSON, for the job's row while it is under way."""
        given = {name: output.model_dump(exclude_none=True) for name, output in self._read.items()}
        return self._stored | given
