from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack import Stack


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
    """A stack of the test's own, to kill, with short leases so that losses show quickly; started by the test."""
    mortal = Stack(tmp_path, lease_s=2, sweep_interval_s=0.3, hint_after_s=1)
    try:
        yield mortal
    finally:
        mortal.stop()
