"""What the images weigh: each holds what its own service needs, and no more."""

from __future__ import annotations

import pytest

from tests.e2e.compose.compose_stack import ComposeStack

ABOVE_BASE_MB = {"gateway": 250, "detector": 550, "analyzer": 550, "verifier": 550}


@pytest.fixture(scope="module")
def printed(stack: ComposeStack) -> dict[str, list[int]]:
    """`make images`, by image: MB whole, above the Python image, and compressed."""
    rows = [line.split() for line in stack.make("images").splitlines()]
    print(rows)
    return {row[0]: [int(value) for value in row[1:]] for row in rows if row[0] in ABOVE_BASE_MB}


@pytest.mark.parametrize("service", ABOVE_BASE_MB)
def test_an_image_weighs_no_more_than_it_should(printed: dict[str, list[int]], service: str) -> None:
    whole_mb, above_base_mb, compressed_mb = printed[service]
    assert 0 < above_base_mb <= ABOVE_BASE_MB[service]
    assert 0 < compressed_mb < whole_mb
