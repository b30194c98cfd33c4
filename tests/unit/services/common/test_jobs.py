"""Ids sort by time, malformed ones are refused, and ended jobs stay ended."""

import time
import uuid

import pytest

from services.common.errors import InvalidJobId
from services.common.jobs import (
    LEGAL_MOVES,
    TERMINAL,
    JobStatus,
    check_job_id,
    new_job_id,
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


def test_terminal_states_are_never_left() -> None:
    assert all(not LEGAL_MOVES[status] for status in TERMINAL)
    assert set(LEGAL_MOVES) == set(JobStatus)
