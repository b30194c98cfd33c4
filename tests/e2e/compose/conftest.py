from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.compose.compose_stack import ComposeStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """One running stack for all of these tests; short leases, so that a lost worker shows soon."""
    if os.environ.get("FACEKIT_TEST_COMPOSE") != "1":
        pytest.skip("the stack's tests build images and start containers: set FACEKIT_TEST_COMPOSE=1")
    subprocess.run(["docker", "info"], check=True, capture_output=True)
    running = ComposeStack(tmp_path_factory.mktemp("stack"), lease_s=5)
    try:
        running.up()
        yield running
    finally:
        running.down()
