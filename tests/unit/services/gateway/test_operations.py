"""What operators see: health, readiness, models, metrics, logs, and the answer to the unexpected."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import pytest

from services.common.jobs import now
from services.common.logs import JsonFormatter, bound
from services.common.ports import WorkerRecord
from tests.unit.services.gateway.conftest import Api, Start, problem

VIEW = {
    "task": "detector",
    "name": "yolov8n-face",
    "version": "2026.11.1",
    "stage": "detector",
    "metrics": {"ap_easy": 0.9},
    "parameters": {},
    "trained_on": "WIDER FACE",
    "licence": "AGPL-3.0-only",
    "sha256": "0" * 64,
    "card": "# Card",
}


def beat(api: Api, name: str, version: str = "2026.11.1", age_s: float = 0) -> None:
    models = {"detector": {**VIEW, "version": version}}
    at = now() - timedelta(seconds=age_s)
    api.gateway.jobs.beat(WorkerRecord(name=name, stage="detector", models=models, beat_at=at))


def test_readiness_names_what_answers_and_who_works(api: Api) -> None:
    beat(api, "one")
    beat(api, "two")
    beat(api, "gone", age_s=3600)
    response = api.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"store": "ok", "database": "ok", "queue": "ok"},
        "workers": {"detector": 2, "analyzer": 0, "verifier": 0},
    }


def test_not_ready_without_a_store(api: Api) -> None:
    folder = api.gateway.settings.state / "objects"
    folder.rename(folder.with_name("away"))
    response = api.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["store"] != "ok"
    assert response.json()["checks"]["database"] == "ok"
    assert api.get("/healthz").status_code == 200


def test_models_are_those_that_answer(api: Api) -> None:
    assert api.get("/v1/models").json() == {"models": []}
    beat(api, "one")
    beat(api, "two")
    beat(api, "newer", version="2026.11.2")
    beat(api, "gone", version="2025.1", age_s=3600)
    models = api.get("/v1/models").json()["models"]
    assert [(model["version"], model["workers"]) for model in models] == [("2026.11.1", 2), ("2026.11.2", 1)]
    assert models[0]["metrics"] == {"ap_easy": 0.9}


def test_metrics(api: Api) -> None:
    job_id = api.accepted()
    done = api.accepted()
    api.run_stages(done)
    api.detect(b"words")
    api.get(f"/v1/jobs/{job_id}/images/original")
    text = api.get("/metrics").text
    for line in (
        'facekit_submissions_total{kind="detection",outcome="accepted"} 2.0',
        'facekit_submissions_total{kind="detection",outcome="unsupported_format"} 1.0',
        'facekit_queue_depth{stage="detector",status="queued"} 1.0',
        'facekit_jobs{kind="detection",status="succeeded"} 1.0',
        "facekit_database_up 1.0",
        'facekit_request_seconds_count{method="POST",route="/v1/detections",status="202"} 2.0',
        'route="/v1/jobs/{job_id}/images/{name}",status="200"',
    ):
        assert line in text
    assert re.search(r'facekit_uploaded_bytes_total\{kind="detection"\} \d', text)
    assert job_id not in text


def test_two_gateways_in_one_process_count_apart(start: Start) -> None:
    first, second = start(), start()
    first.accepted()
    assert "facekit_submissions_total{" in first.get("/metrics").text
    assert "facekit_submissions_total{" not in second.get("/metrics").text
    assert 'facekit_queue_depth{stage="detector",status="queued"} 1.0' in second.get("/metrics").text


def test_the_unexpected_is_a_problem_without_its_stack(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """A result no schema knows, as after a downgrade."""
    job_id = api.accepted()
    jobs = api.gateway.jobs
    assert jobs.claim(job_id, "detector", "w", 30)
    assert jobs.finish_stage(job_id, "w", next_stage=None, result={"of": "tomorrow"}, timings_ms={}, models={})
    response = api.client.get(f"/v1/jobs/{job_id}", headers={"x-request-id": "my-request"})
    assert "my-request" in problem(response, 500, "internal_error")
    assert "Traceback" not in response.text
    assert "tomorrow" not in response.text
    assert response.headers["x-request-id"] == "my-request"
    assert any("unexpected" in record.message and record.exc_info for record in caplog.records)


def test_every_answer_has_a_request_id(api: Api) -> None:
    ids = {api.get("/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    odd = api.client.get("/healthz", headers={"x-request-id": "a b; c"})
    assert odd.headers["x-request-id"] not in ("a b; c", *ids)


def test_log_lines_carry_job_and_request(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        job_id = api.accepted()
        api.get(f"/v1/jobs/{job_id}")
    lines = [json.loads(JsonFormatter("gateway").format(record)) for record in caplog.records]
    accepted = next(line for line in lines if line["message"] == "detection accepted")
    assert (accepted["job_id"], accepted["service"], accepted["level"]) == (job_id, "gateway", "INFO")
    looked = next(line for line in lines if line["message"] == "GET /v1/jobs/{job_id}")
    assert (looked["job_id"], looked["status"], looked["method"]) == (job_id, 200, "GET")
    assert looked["duration_ms"] >= 0


def test_bound_fields_and_errors_are_in_the_line() -> None:
    formatter = JsonFormatter("worker")
    try:
        raise RuntimeError("no")
    except RuntimeError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it %s", ("broke",), (RuntimeError, error, None))
    with bound(job_id="7"), bound(request_id="r"):
        line = json.loads(formatter.format(record))
    assert (line["message"], line["job_id"], line["request_id"]) == ("it broke", "7", "r")
    assert "RuntimeError: no" in line["error"]
    assert "\n" not in formatter.format(record)
    assert "job_id" not in json.loads(formatter.format(record))
