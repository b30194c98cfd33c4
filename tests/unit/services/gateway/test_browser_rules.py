"""What a web page of a stranger can do to a gateway on this machine, which asks for no key: nothing."""

from __future__ import annotations

import pytest
from httpx import Response

from tests.unit.services.gateway.conftest import Api, Start, problem

OWN_NAMES = ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "app.localhost:{port}", "[::1]:{port}", "192.168.1.5"]
STRANGERS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "[::1",
    "a b",
]


def asked(api: Api, path: str, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.request(method, path, headers=named)


def port(api: Api) -> int:
    return api.client.base_url.port or 0


@pytest.mark.parametrize("host", OWN_NAMES)
def test_it_answers_to_its_own_names_and_to_addresses(api: Api, host: str) -> None:
    assert asked(api, "/v1/jobs", Host=host.format(port=port(api))).status_code == 200


@pytest.mark.parametrize("host", STRANGERS)
def test_a_name_a_stranger_pointed_here_gets_nothing(api: Api, host: str) -> None:
    """DNS rebinding: the page's own name leads to this machine, and for the browser it is one site."""
    host = host.format(port=port(api))
    for answer in (asked(api, "/v1/jobs", Host=host), asked(api, "/docs", Host=host), api.detect(Host=host)):
        assert answer.status_code in (400, 421)
    assert api.rows() == []


def test_names_that_were_told_are_answered(start: Start) -> None:
    api = start(hosts="faces.example, Photos.example")
    assert asked(api, "/v1/jobs", Host="photos.example:8443").status_code == 200
    problem(asked(api, "/v1/jobs", Host="other.example"), 421, "unknown_host")
    assert asked(start(hosts="*"), "/v1/jobs", Host="anything.example").status_code == 200


def test_probes_inside_the_stack_use_its_own_names(api: Api) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert asked(api, path, Host="gateway:8080").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[::1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_form_of_another_page_changes_nothing(api: Api, headers: dict[str, str]) -> None:
    job_id = api.detect().json()["id"]
    for answer in (
        api.detect(**headers),
        asked(api, f"/v1/jobs/{job_id}/cancel", "POST", **headers),
        asked(api, f"/v1/jobs/{job_id}", "DELETE", **headers),
    ):
        problem(answer, 403, "forbidden")
    assert [job.id for job in api.rows()] == [job_id]
    assert asked(api, f"/v1/jobs/{job_id}", **headers).status_code == 200, (
        "reading across sites is the browser's to forbid"
    )


def test_its_own_page_may(api: Api) -> None:
    own = {"Origin": f"http://127.0.0.1:{port(api)}", "Sec_Fetch_Site": "same-origin"}
    assert api.detect(**own).status_code == 202
    behind_tls = {"Host": "127.0.0.1:8443", "Origin": "https://127.0.0.1:8443"}
    assert api.detect(**behind_tls).status_code == 202
