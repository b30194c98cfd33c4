"""Every answer, whatever it is, tells browsers to run nothing of it, to guess nothing and to keep no copy."""

from __future__ import annotations

import pytest

from tests.unit.services.gateway.conftest import Api


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/jobs", "/v1/models", "/v1/jobs/x", "/nothing"]
)
def test_an_answer_that_says_nothing_of_its_own_is_safe(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_an_answer_that_says_more_keeps_its_word(api: Api) -> None:
    assert api.get("/v1/vocabulary").headers.get_list("cache-control") == ["max-age=300"]
    assert len(api.get("/docs").headers.get_list("content-security-policy")) == 1
