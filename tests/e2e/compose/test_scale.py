"""More workers of a kind share the work, and on an idle machine two serve at least what one does on the same cores."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import photos
from tests.e2e.compose.compose_stack import ComposeStack, wait_until

JOBS, CLIENTS, ROUNDS = 40, 8, 3
# Rates of one stack, taken in turns, still differ by so much from one round to the next.
NOISE = 0.05


def scaled(stack: ComposeStack, detectors: int) -> None:
    scale = ("--no-build", "--no-recreate", "--scale", f"detector={detectors}")
    stack.compose("up", "--detach", "--wait", *scale, timeout_s=300)

    def seen() -> bool:
        return bool(stack.call("GET", "/readyz").json()["workers"]["detector"] == detectors)

    wait_until(seen, f"{detectors} detectors are seen", 120)


def jobs_per_s(stack: ComposeStack) -> tuple[float, list[str]]:
    """A burst of detections at saturation, first submission to last result; and their ids."""
    photo = photos.jpeg(photos.crowd_rgb(4, 5))
    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        ids = list(clients.map(lambda _number: stack.detect(photo), range(JOBS)))
        ended = list(clients.map(stack.finished, ids))
    rate = JOBS / (time.monotonic() - started)
    assert [(job["status"], len(job["result"]["faces"])) for job in ended] == [("succeeded", 20)] * JOBS
    return rate, ids


def done_by(stack: ComposeStack, container: str) -> set[str]:
    """Jobs of which this container's log says that it did them."""
    said = stack.run("docker", "logs", container)
    lines = (json.loads(line) for line in (said.stdout + said.stderr).splitlines() if line.startswith("{"))
    return {line["job_id"] for line in lines if line["message"].startswith("detector done")}


def test_two_detectors_share_the_work(stack: ComposeStack) -> None:
    try:
        scaled(stack, 2)
        _, ids = jobs_per_s(stack)
        shares = [len(done_by(stack, container) & set(ids)) for container in stack.containers("detector")]
        assert len(shares) == 2 and sum(shares) == JOBS
        assert min(shares) >= JOBS / 4, shares
    finally:
        scaled(stack, 1)


@pytest.mark.timing
def test_two_detectors_serve_no_less_than_one(stack: ComposeStack) -> None:
    rates: dict[int, list[float]] = {1: [], 2: []}
    try:
        for _ in range(ROUNDS):
            for detectors, measured in rates.items():
                scaled(stack, detectors)
                measured.append(jobs_per_s(stack)[0])
    finally:
        scaled(stack, 1)
    print(f"detections/s with one detector {rates[1]}, with two {rates[2]}")
    assert max(rates[2]) >= (1 - NOISE) * max(rates[1])


def test_one_of_two_may_die_for_good(stack: ComposeStack) -> None:
    """`docker kill` is not followed by a restart: the other one takes over what the lost one held."""
    try:
        scaled(stack, 2)
        ids = [stack.detect(photos.thirty_faces()) for _ in range(8)]
        lost = stack.containers("detector")[0]
        stack.done("docker", "kill", lost)
        assert [stack.finished(job_id)["status"] for job_id in ids] == ["succeeded"] * len(ids)
        assert stack.done("docker", "inspect", "--format", "{{.State.Status}}", lost).strip() == "exited"
    finally:
        scaled(stack, 1)
