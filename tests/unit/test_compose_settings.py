"""What `.env` sets reaches every container whose program reads it; read from the YAML, as Compose fills it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.common.flows.registry import STAGES
from services.common.settings import Settings
from services.common.settings.about import about, variable
from services.common.settings.load import settings_of
from tests.unit import test_compose_gpu
from tests.unit.test_compose_gpu import services

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose.yaml"
SWARM = ROOT / "scripts" / "deployment" / "swarm" / "stack.yaml"
# The container in which a program runs, where it has another name.
INSIDE = {"archive": "gateway", "publish": "trainer"}
OUTSIDE = {"make run", "bench", "client"}
SECRETS = dict.fromkeys(
    ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY", "STACK_API_KEYS"), "secret"
)
SET_BY_MAKE = {"FACEKIT_VERSION", "FACEKIT_REVISION", "COMPOSE_PROJECT_NAME"}
_REFERENCE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


def filled(value: object, variables: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?complaint}` as Compose reads them."""

    def one(found: re.Match[str]) -> str:
        name, sign, word = found.groups()
        if name in variables and (variables[name] or not (sign or "").startswith(":")):
            return variables[name]
        return word if (sign or "").endswith("-") else ""

    return _REFERENCE.sub(one, str(value))


def environments(path: Path, variables: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What each container gets, by the name of its service."""
    services: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return {
        name: {key: filled(value, variables) for key, value in (service.get("environment") or {}).items()}
        for name, service in services.items()
    }


def containers(readers: tuple[str, ...]) -> set[str]:
    inside = {INSIDE.get(program, program) for program in readers if program not in OUTSIDE}
    return (inside - {"workers"}) | (set(STAGES) if "workers" in inside else set())


@pytest.mark.parametrize("name", Settings.model_fields)
def test_what_env_sets_reaches_whoever_reads_it(name: str) -> None:
    note = about(Settings.model_fields[name])
    found = environments(COMPOSE, SECRETS | {variable(name): "as set"})
    assert containers(note.readers) <= set(found)
    for container in containers(note.readers):
        reached = found[container].get(variable(name)) == "as set"
        assert reached != bool(note.fixed), f"{container}: {note.fixed or 'it does not get there'}"


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if not about(field).fixed])
def test_what_several_hosts_share_gets_it_too(name: str) -> None:
    found = environments(SWARM, {variable(name): "as set", "WORKER_CPUS": "as set"})
    for container in containers(about(Settings.model_fields[name]).readers):
        assert found["edge" if container == "nginx" else container][variable(name)] == "as set"


@pytest.mark.parametrize("path", [COMPOSE, SWARM], ids=["compose", "swarm"])
def test_what_env_does_not_set_is_the_default_of_the_stack(path: Path) -> None:
    for container, variables in environments(path, SECRETS | {"WORKER_CPUS": "2"}).items():
        given = {name: value for name, value in variables.items() if name.startswith("FACEKIT_")}
        settings = settings_of(given)  # refuses what is no setting
        for name, field in Settings.model_fields.items():
            if variable(name) in given and not about(field).fixed and (name, path) != ("threads", SWARM):
                wanted = settings_of({variable(name): about(field).stack_default})
                assert getattr(settings, name) == getattr(wanted, name), f"{container}: {name}"


def test_compose_itself_reads_the_same() -> None:
    """Where it is installed; the engine is not asked."""
    ours = environments(COMPOSE, test_compose_gpu.SECRETS)
    theirs = {name: service.get("environment") or {} for name, service in services("compose.yaml").items()}
    assert theirs == ours


def test_the_example_shows_every_variable_that_compose_reads() -> None:
    read = {found[1] for found in _REFERENCE.finditer(COMPOSE.read_text(encoding="utf-8"))}
    shown = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert read - SET_BY_MAKE <= shown
