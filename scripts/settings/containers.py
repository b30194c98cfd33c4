"""The settings that containers get from `.env`: a YAML map for each service that reads some, to be merged there."""

from __future__ import annotations

from scripts.settings.written import plain
from services.common.flows.registry import STAGES
from services.common.settings import Settings
from services.common.settings.about import About, about, variable

SERVICES = ("nginx", "gateway", *STAGES)
# It is a shell script that cannot know the defaults.
WITHOUT_DEFAULTS = {"nginx"}


def reads(service: str, note: About) -> bool:
    return service in note.readers or (service in STAGES and "workers" in note.readers)


def compose_part() -> str:
    """An unset variable is handed on as an empty one, which means the default."""
    lines = ["x-settings:"]
    for service in SERVICES:
        lines.append(f"  {service}: &{service}-settings")
        for name, field in Settings.model_fields.items():
            note = about(field)
            if reads(service, note) and not note.fixed:
                default = plain(field) if service in WITHOUT_DEFAULTS else note.stack_default
                lines.append(f"    {variable(name)}: ${{{variable(name)}:-{default}}}")
    return "\n".join(lines) + "\n"
