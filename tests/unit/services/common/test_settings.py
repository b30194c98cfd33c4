"""Settings whose defaults follow from others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.common.settings import Settings


@pytest.mark.parametrize(("threads", "concurrency"), [("1", 2), ("2", 3), ("3", 4), ("16", 4)])
def test_a_worker_holds_one_job_more_than_threads_and_at_most_four(
    monkeypatch: pytest.MonkeyPatch, threads: str, concurrency: int
) -> None:
    monkeypatch.setenv("FACEKIT_THREADS", threads)
    assert Settings().concurrency == concurrency
    monkeypatch.setenv("FACEKIT_CONCURRENCY", "7")
    assert Settings().concurrency == 7


def test_what_is_wrong_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default that follows from a wrong setting has an error of its own, which says less."""
    monkeypatch.setenv("FACEKIT_THREADS", "none")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert caught.value.errors()[0]["loc"] == ("threads",)
