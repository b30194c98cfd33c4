"""nginx, the only door: its own errors are problems, too much is told so, and the page comes with its headers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from services.common.errors import ImageTooLarge
from services.gateway import page
from tests import photos
from tests.e2e.compose.compose_stack import ComposeStack

PROBLEM = "application/problem+json"


def problem(answer: requests.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), answer.text
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


@contextmanager
def gateway(stack: ComposeStack, down: str, up: str) -> Iterator[None]:
    stack.compose(down, "gateway")
    try:
        yield
    finally:
        stack.compose(up, "gateway")
        stack.wait_ready()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/metrics", 404, "not_found"),
        ("GET", "/package.json", 404, "not_found"),
        ("GET", "/nginx.conf", 404, "not_found"),
        ("POST", "/index.html", 405, "method_not_allowed"),
    ],
)
def test_nginx_answers_with_problems(stack: ComposeStack, method: str, path: str, status: int, code: str) -> None:
    problem(requests.request(method, stack.url + path, timeout=30), status, code)


def test_upload_beyond_the_edge_is_a_problem(stack: ComposeStack) -> None:
    problem(stack.call("POST", "/v1/detections", data=bytes(41_000_001)), 413, "image_too_large")  # nginx takes 41 MB


def test_the_edge_follows_the_largest_photo(stack: ComposeStack) -> None:
    """Whether nginx or the gateway refuses a photo, its user reads the same words."""
    restart = ("up", "--detach", "--wait", "--no-build", "gateway", "nginx")
    stack.compose(*restart, FACEKIT_MAX_UPLOAD_BYTES="1500000")
    try:
        stack.wait_ready()
        for size in (2_000_000, 4_500_000):  # the second is beyond nginx's limit
            answer = stack.call("POST", "/v1/detections", files={"image": ("photo.jpg", bytes(size))})
            problem(answer, 413, "image_too_large")
            assert answer.json()["title"] == ImageTooLarge.title
            assert answer.json()["detail"] == "photos of at most 1.5 MB are accepted"
    finally:
        stack.compose(*restart)
        stack.wait_ready()


def test_a_gateway_that_is_away_is_a_problem(stack: ComposeStack) -> None:
    with gateway(stack, "stop", "start"):
        answers = [stack.call("GET", "/v1/jobs")]
        while answers[-1].status_code == 504:  # nginx knows the address for some seconds more
            assert len(answers) < 10
            answers.append(stack.call("GET", "/v1/jobs"))
        for answer in answers:
            problem(answer, answer.status_code, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert answers[-1].status_code == 502
        assert requests.get(f"{stack.url}/", timeout=30).status_code == 200, "the page needs no gateway"


@pytest.mark.slow
def test_a_gateway_that_hangs_is_a_problem(stack: ComposeStack) -> None:
    """nginx waits for longer than the longest ?wait=, so this takes a minute and a half."""
    with gateway(stack, "pause", "unpause"):
        answer = requests.get(f"{stack.url}/healthz", timeout=150)
        problem(answer, 504, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0


def test_too_many_requests_are_told_so_at_the_edge(stack: ComposeStack) -> None:
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

    def ask(_number: int) -> requests.Response:
        return session.get(f"{stack.url}/favicon.svg", timeout=30)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(900)))
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    problem(refused, 429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert next(answer for answer in map(ask, itertools.repeat(0, 1000)) if answer.status_code == 200)


def test_too_many_submissions_of_a_key_are_told_so(stack: ComposeStack) -> None:
    """The gateway is replaced by one with a limit; nginx finds the new one by itself, and the old one again."""
    stack.compose("up", "--detach", "--wait", "--no-build", "gateway", FACEKIT_RATE_LIMIT_PER_MINUTE="2")
    try:
        stack.wait_ready()
        photo = photos.no_face()
        accepted = [stack.detect(photo) for _ in range(2)]
        answer = stack.call("POST", "/v1/detections", files={"image": ("photo.jpg", photo)})
        problem(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 30
        assert [stack.finished(job_id)["status"] for job_id in accepted] == ["succeeded"] * 2
    finally:
        stack.compose("up", "--detach", "--wait", "--no-build", "gateway")
        stack.wait_ready()


def test_page_has_the_headers_of_the_embedded_one(stack: ComposeStack) -> None:
    answer = requests.get(f"{stack.url}/", timeout=30)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in page.HEADERS} == page.HEADERS
    style = requests.get(f"{stack.url}/css/page.css", timeout=30)
    assert style.headers["Content-Encoding"] == "gzip"
    again = requests.get(f"{stack.url}/css/page.css", headers={"If-None-Match": style.headers["ETag"]}, timeout=30)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.get(f"{stack.url}/docs", timeout=30).status_code == 200
