from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.compose.compose_stack import ComposeStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """One running stack for all of these tests; short leases, so that a lost worker shows soon."""
    if os.environ.get("FACEKIT_TEST_COMPOSE") != "1":
        pytest.skip("the stack's tests build images and start containers: run make test-stack")
    made = ComposeStack(tmp_path_factory.mktemp("stack"), lease_s=5)
    try:
        made.make("up")
        yield made
    finally:
        _keep_logs(made)
        made.remove()


def _keep_logs(stack: ComposeStack) -> None:
    """Where FACEKIT_TEST_LOGS names a folder: what the containers said, for whoever looks into a failure."""
    if folder := os.environ.get("FACEKIT_TEST_LOGS"):
        said = stack.run("docker", "compose", "logs", "--no-color", "--timestamps")
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{stack.project}.log").write_text(said.stdout + said.stderr, encoding="utf-8")
