"""An address is answered as the OpenAPI document says or refused in words, with the page mounted beside it or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.settings import Settings
from tests.unit.services.gateway.conftest import PHOTO, Api, problem, served

FRONTEND = Path(__file__).parents[4] / "frontend"
NOBODY = "01a20a63-8a5f-77a6-bbfe-013a28e68ba7"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module", params=[None, FRONTEND], ids=["api alone", "with the page"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("gateway")
    with served(Settings(home=home, sweep_interval_s=3600, frontend=request.param)) as api:
        yield api


def addresses(api: Api) -> dict[str, set[str]]:
    """Every address of the document, with the methods it declares."""
    paths = api.get("/openapi.json").json()["paths"]
    filled = {path.format(job_id=NOBODY, name="original"): methods for path, methods in paths.items()}
    return {path: {method.upper() for method in methods} for path, methods in filled.items()}


def test_allow_names_every_method_of_the_document_and_no_other(gateway: Api) -> None:
    for path, declared in addresses(gateway).items():
        for method in set(METHODS) - declared:
            response = gateway.client.request(method, path)
            assert response.status_code == 405, (method, path)
            assert {allowed.strip() for allowed in response.headers["allow"].split(",")} == declared, (method, path)
            if method != "HEAD":
                problem(response, 405, "method_not_allowed")


def test_a_slash_too_many_is_another_address(gateway: Api) -> None:
    for path in addresses(gateway):
        problem(gateway.get(f"{path}/"), 404, "not_found")
    response = gateway.post("/v1/detections/", {"image": PHOTO})
    problem(response, 404, "not_found")


def test_an_option_in_the_query_string_is_refused_not_ignored(gateway: Api) -> None:
    response = gateway.post("/v1/detections?analyze=age", {"image": PHOTO})
    assert "'analyze'" in problem(response, 422, "unexpected_field")
    for path in ("/v1/jobs?state=failed", f"/v1/jobs/{NOBODY}?wiat=3", "/v1/models?task=age", "/v1/vocabulary?x"):
        assert "query string" in problem(gateway.client.get(path), 422, "unexpected_field")
    assert "limit" in problem(gateway.client.get("/v1/jobs?state=failed"), 422, "unexpected_field")
    assert gateway.rows() == [] and gateway.stored() == []


def test_probes_may_add_to_the_address(gateway: Api) -> None:
    for path in ("/healthz?from=probe", "/metrics?name[]=facekit_jobs"):
        assert gateway.client.get(path).status_code == 200


def test_nothing_is_posted_to_the_page(gateway: Api) -> None:
    problem(gateway.post("/v1/nothing"), 404, "not_found")
    if gateway.gateway.settings.frontend is None:
        return
    response = gateway.post("/")
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD"
    assert gateway.client.head("/").status_code == 200
