"""Fixtures every kind of test may use: real servers, started once a run and only when a test asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest

from tests import servers

Server = TypeVar("Server")


# The `.env` of whoever runs the tests is not theirs.
os.environ["FACEKIT_ENV_FILE"] = os.devnull


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside other work a measure of time says nothing: it runs where `-m` asks for it, as `make test-timing` does."""
    if "timing" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("timing"):
            item.add_marker(pytest.mark.skip(reason="a measure of time: run make test-timing on an idle machine"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    yield from _started(servers.postgres())


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.RedisServer]:
    yield from _started(servers.redis())


@pytest.fixture(scope="session")
def s3_server() -> Iterator[servers.S3Server]:
    yield from _started(servers.s3())


def _started(server: AbstractContextManager[Server]) -> Iterator[Server]:
    """The running server; without its program a test is skipped, and on CI it fails."""
    try:
        running = server.__enter__()
    except servers.ServerMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have every server: {missing}")
        pytest.skip(str(missing))
    try:
        yield running
    finally:
        server.__exit__(None, None, None)
