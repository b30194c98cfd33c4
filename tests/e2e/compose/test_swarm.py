"""The example for several hosts is a stack that Docker Swarm takes, and its page names what it wants."""

from __future__ import annotations

import re

import pytest
import yaml

from services.common.settings import Settings
from services.common.settings.about import variable
from tests.e2e.compose.compose_stack import ROOT, ComposeStack

FOLDER = ROOT / "scripts" / "deployment" / "swarm"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
SETTINGS = {
    "DATABASE_URL": "postgresql://facekit:secret@database.example/facekit?sslmode=require",
    "BROKER_URL": "rediss://:secret@redis.example:6379/0",
    "S3_BUCKET": "facekit",
    "S3_ENDPOINT": "s3.example:443",
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret",
    "API_KEYS": "user:submit:0123456789abcdef",
    "FACEKIT_IMAGES": "registry.example/facekit",
    "FACEKIT_TAG": "2026.11.1",
}


def validating() -> str:
    """The page's command that shows what will run."""
    return next(line for line in PAGE.splitlines() if line.startswith("docker stack config"))


def test_swarm_takes_the_stack(stack: ComposeStack) -> None:
    shown = yaml.safe_load(stack.done("sh", "-c", validating(), **SETTINGS))
    services = shown["services"]
    assert set(services) == {"edge", "gateway", "migrate", "detector", "analyzer", "verifier"}
    for name, service in services.items():
        assert service["image"].startswith("registry.example/facekit/") and service["image"].endswith(":2026.11.1")
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert ("ports" in service) == (name == "edge")
        assert set(service["networks"]) == {"edge": {"front"}, "gateway": {"front", "back"}}.get(name, {"back"})
    assert services["detector"]["environment"]["FACEKIT_DATABASE_URL"] == SETTINGS["DATABASE_URL"]


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_not_said_is_asked_for(stack: ComposeStack, name: str) -> None:
    refused = stack.run("sh", "-c", validating(), **{**SETTINGS, name: ""})
    assert refused.returncode and name in refused.stderr


def test_the_page_names_every_variable_of_the_stack() -> None:
    """Settings have a page of their own."""
    wanted = set(re.findall(r"\$\{(\w+)", (FOLDER / "stack.yaml").read_text(encoding="utf-8")))
    assert "docs/settings.md" in PAGE
    assert wanted - set(map(variable, Settings.model_fields)) <= set(re.findall(r"\w+", PAGE))
