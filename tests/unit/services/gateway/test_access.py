"""API keys, whose job is whose, rate limits, and pages of other sites."""

from __future__ import annotations

import dataclasses

import pytest

from services.gateway.access import ApiKeys
from services.gateway.rate_limit import MAX_CLIENTS, RateLimiter
from tests.unit.services.gateway.conftest import PHOTO, Api, Start, problem

ANNA, BEN, EYE = "anna-key-0123456789", "ben-key-0123456789", "eye-key-0123456789"
KEYS = f"anna:submit:{ANNA}, ben:submit:{BEN}, eye:read:{EYE}"


def as_(api: Api, key: str) -> Api:
    return dataclasses.replace(api, headers={"x-api-key": key})


@pytest.fixture
def keyed(start: Start) -> Api:
    return start(api_keys=KEYS)


def test_without_a_key_nothing_is_told(keyed: Api) -> None:
    job_id = as_(keyed, ANNA).accepted()
    for response in (
        keyed.detect(),
        keyed.post("/v1/verifications", {"anchor": PHOTO, "image": PHOTO}),
        keyed.get("/v1/jobs"),
        keyed.get(f"/v1/jobs/{job_id}"),
        keyed.get(f"/v1/jobs/{job_id}/images/original"),
        keyed.get(f"/v1/jobs/{job_id}/faces.zip"),
        keyed.get("/v1/models"),
        keyed.post(f"/v1/jobs/{job_id}/cancel"),
        keyed.client.delete(f"/v1/jobs/{job_id}"),
        as_(keyed, "wrong-key-0123456789").get("/v1/jobs"),
        as_(keyed, "").get("/v1/jobs"),
    ):
        problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
    assert len(keyed.stored()) == 1


def test_what_probes_and_people_need_is_open(keyed: Api) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
        assert keyed.get(path).status_code == 200


def test_a_key_comes_as_bearer_or_header(keyed: Api) -> None:
    for headers in ({"authorization": f"Bearer {ANNA}"}, {"authorization": f"bearer {ANNA}"}, {"x-api-key": ANNA}):
        assert keyed.client.get("/v1/jobs", headers=headers).status_code == 200
    assert keyed.client.get("/v1/jobs", headers={"authorization": f"Basic {ANNA}"}).status_code == 401


def test_a_reader_may_look_but_not_touch(keyed: Api) -> None:
    eye = as_(keyed, EYE)
    assert eye.get("/v1/jobs").status_code == 200
    problem(eye.detect(), 403, "forbidden")
    problem(eye.client.delete("/v1/jobs/01a20a63-8a5f-77a6-bbfe-013a28e68ba7", headers=eye.headers), 403, "forbidden")
    assert keyed.stored() == []


def test_a_job_is_its_owners_alone(keyed: Api) -> None:
    anna, ben = as_(keyed, ANNA), as_(keyed, BEN)
    job_id = anna.accepted()
    assert anna.get(f"/v1/jobs/{job_id}").status_code == 200
    assert [job["id"] for job in anna.get("/v1/jobs").json()["jobs"]] == [job_id]
    assert ben.get("/v1/jobs").json()["jobs"] == []
    for response in (
        ben.get(f"/v1/jobs/{job_id}"),
        ben.get(f"/v1/jobs/{job_id}/images/original"),
        ben.post(f"/v1/jobs/{job_id}/cancel"),
        ben.client.delete(f"/v1/jobs/{job_id}", headers=ben.headers),
    ):
        problem(response, 404, "no_such_job")
    assert anna.client.delete(f"/v1/jobs/{job_id}", headers=anna.headers).status_code == 204


def test_a_readers_key_of_the_same_name_sees_the_owners_jobs(start: Start) -> None:
    api = start(api_keys=f"anna:submit:{ANNA},anna:read:{EYE}")
    job_id = as_(api, ANNA).accepted()
    eye = as_(api, EYE)
    assert [job["id"] for job in eye.get("/v1/jobs").json()["jobs"]] == [job_id]
    assert eye.get(f"/v1/jobs/{job_id}/images/original").status_code == 200
    problem(eye.client.delete(f"/v1/jobs/{job_id}", headers=eye.headers), 403, "forbidden")


def test_idempotency_keys_of_two_owners_do_not_meet(keyed: Api) -> None:
    first = as_(keyed, ANNA).detect(Idempotency_Key="k").json()["id"]
    assert as_(keyed, BEN).detect(Idempotency_Key="k").json()["id"] != first


@pytest.mark.parametrize(
    "setting",
    ["anna", "anna:submit", "anna:admin:0123456789abcdef", "anna:read:short", ":read:0123456789abcdef",
     "anna:read:0123456789abcdef,anna:read:fedcba9876543210"],
)  # fmt: skip
def test_malformed_keys_are_refused_without_being_shown(setting: str) -> None:
    with pytest.raises(ValueError, match="FACEKIT_API_KEYS") as caught:
        ApiKeys(setting)
    assert "0123456789abcdef" not in str(caught.value)


def test_too_many_submissions_are_told_when_to_come_back(start: Start) -> None:
    api = start(rate_limit_per_minute=2)
    assert [api.detect().status_code for _ in range(2)] == [202, 202]
    response = api.detect()
    problem(response, 429, "rate_limited")
    assert 1 <= int(response.headers["retry-after"]) <= 30
    assert api.get("/v1/jobs").status_code == 200
    assert len(api.stored()) == 2


def test_the_bucket_fills_again() -> None:
    clock = [0.0]
    limiter = RateLimiter(60, clock=lambda: clock[0])

    def taken(client: str = "a") -> bool:
        try:
            limiter.take(client)
        except Exception:
            return False
        return True

    assert sum(taken() for _ in range(100)) == 60
    assert taken("b")
    clock[0] = 10.0
    assert sum(taken() for _ in range(100)) == 10
    clock[0] = 10_000.0
    assert sum(taken() for _ in range(100)) == 60
    for client in range(MAX_CLIENTS + 10):
        limiter.take(str(client))
    assert len(limiter._buckets) == MAX_CLIENTS
