"""Ids sort by time, malformed ones are refused, and flows hold only what was asked for."""

import time
import uuid

import pytest

from services.common.errors import InvalidJobId
from services.common.jobs import (
    LEGAL_MOVES,
    TERMINAL,
    Job,
    JobKind,
    JobStatus,
    check_job_id,
    flow,
    new_job_id,
    now,
)


def test_ids_of_one_millisecond_sort_by_time_too() -> None:
    made = []
    for _ in range(200):
        made.append(new_job_id())
        until = time.perf_counter_ns() + 2_000
        while time.perf_counter_ns() < until:
            pass
    assert made == sorted(made) and len(set(made)) == len(made)


def test_ids_are_uuid7_and_sort_by_creation() -> None:
    first = new_job_id()
    time.sleep(0.002)
    second = new_job_id()
    assert uuid.UUID(first).version == 7 and first < second
    assert abs((uuid.UUID(second).int >> 80) / 1000 - time.time()) < 5


@pytest.mark.parametrize("text", ["", "abc", "../../etc/passwd", "{0192f0c1-0000-7000-8000-000000000000}", "0" * 32])
def test_malformed_ids_are_refused(text: str) -> None:
    with pytest.raises(InvalidJobId):
        check_job_id(text)


def test_only_asked_stages_run() -> None:
    assert flow(JobKind.DETECTION, {"analyze": []}) == ("detector",)
    assert flow(JobKind.DETECTION, {"analyze": ["age"]}) == ("detector", "analyzer")
    assert flow(JobKind.VERIFICATION, {}) == ("detector", "verifier")


def test_terminal_states_are_never_left() -> None:
    assert all(not LEGAL_MOVES[status] for status in TERMINAL)
    assert set(LEGAL_MOVES) == set(JobStatus)


def test_progress_grows_with_the_stages() -> None:
    def job(status: JobStatus, stage: str | None) -> Job:
        return Job("x", JobKind.VERIFICATION, status, stage, {}, now())

    progress = [
        job(JobStatus.QUEUED, "detector").progress,
        job(JobStatus.RUNNING, "verifier").progress,
        job(JobStatus.SUCCEEDED, None).progress,
    ]
    assert progress == [0.0, 0.5, 1.0]
