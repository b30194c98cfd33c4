from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack import SHORT_LEASES, Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole embedded system with the bundled models, shared by tests that leave it standing."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    running.start()
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own, to kill; started by the test."""
    mortal = Stack(tmp_path, **SHORT_LEASES)
    try:
        yield mortal
    finally:
        mortal.stop()
