from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.bootstrap import Ports, build
from services.common.settings import Settings
from services.gateway.migrate import migrate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lease_s=1, max_attempts=3)


@pytest.fixture
def ports(settings: Settings) -> Iterator[Ports]:
    """The embedded adapters, built by the function production uses."""
    migrate(settings.effective_database_url)
    built = build(settings)
    yield built
    built.close()
