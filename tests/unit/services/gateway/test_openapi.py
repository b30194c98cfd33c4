"""The OpenAPI document tells what the gateway does, and /docs shows it without any other host."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from services.common.errors import every_error
from services.common.flows.views import JobPage, JobView
from services.gateway.examples import FAILED, PAGE, QUEUED, SUCCEEDED
from tests.unit.services.gateway.conftest import Api

CALLS = {
    ("post", "/v1/detections"),
    ("post", "/v1/verifications"),
    ("get", "/v1/jobs"),
    ("get", "/v1/jobs/{job_id}"),
    ("delete", "/v1/jobs/{job_id}"),
    ("post", "/v1/jobs/{job_id}/cancel"),
    ("get", "/v1/jobs/{job_id}/images/{name}"),
    ("get", "/v1/jobs/{job_id}/faces.zip"),
    ("get", "/v1/models"),
    ("get", "/v1/vocabulary"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.get("/openapi.json").json()
    return body


def test_it_is_valid_and_whole(document: dict[str, Any]) -> None:
    validate(document)
    operations = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert operations == CALLS
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_call_of_the_api_declares_its_problems(document: dict[str, Any]) -> None:
    known = {error.code: error for error in every_error()}
    for path, methods in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for operation in methods.values():
            assert operation["description"]
            problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
            assert ("401" in problems) == ("security" in operation), "who may call it without a key is told"
            for status, answer in problems.items():
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                for code, example in content["examples"].items():
                    assert example["value"]["code"] == code
                    assert known[code].status == int(status) == example["value"]["status"]


def test_forms_name_their_fields(document: dict[str, Any]) -> None:
    def form(path: str) -> dict[str, Any]:
        body = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        return dict(body)

    assert set(form("/v1/detections")["properties"]) == {"image", "analyze", "min_confidence", "max_faces"}
    assert set(form("/v1/verifications")["properties"]) == {"anchor", "image", "max_far", "threshold", "prior"}
    assert form("/v1/verifications")["required"] == ["anchor", "image"]


def test_every_field_of_every_answer_is_explained(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, shape in schema.get("properties", {}).items()
        if not shape.get("description")
    ]
    assert silent == []


def test_every_parameter_and_form_field_is_explained(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (method, path, parameter["name"])
            content = operation.get("requestBody", {}).get("content", {})
            for field, shape in content.get("multipart/form-data", {}).get("schema", {}).get("properties", {}).items():
                assert shape.get("description"), (path, field)


def test_every_code_has_a_title_and_advice(api: Api) -> None:
    words = api.get("/v1/vocabulary").json()["problems"]
    assert set(words) == {error.code for error in every_error()}
    for code, said in words.items():
        assert said["title"] and said["advice"].endswith("."), code


def test_a_problem_says_what_to_do_as_the_vocabulary_does(api: Api) -> None:
    words = api.get("/v1/vocabulary").json()["problems"]
    for answer in (api.detect(b"no photo"), api.get("/v1/nothing"), api.get("/v1/jobs", limit=0)):
        told = answer.json()
        assert {name: told[name] for name in words[told["code"]]} == words[told["code"]]


def test_the_examples_are_what_the_schemas_allow() -> None:
    for example in (QUEUED, SUCCEEDED, FAILED):
        JobView.model_validate(example)
    JobPage.model_validate(PAGE[200]["content"]["application/json"]["example"])


def test_docs_need_no_script_and_no_other_host(api: Api) -> None:
    response = api.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "<script" not in response.text
    assert not re.search(r"https?://", response.text)
    for _, path in CALLS:
        assert path in response.text
