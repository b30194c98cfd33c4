"""The bell: a stroke wakes whoever listens, is counted off once, and is no promise anybody depends on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.adapters.folder_bell import FolderBell, ring

LONG_S = 20.0


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[FolderBell]:
    bell = FolderBell(tmp_path)
    yield bell
    bell.close()


def waited_s(bell: FolderBell, timeout_s: float) -> float:
    started = time.monotonic()
    bell.wait(timeout_s)
    return time.monotonic() - started


def test_a_stroke_wakes_every_listener(bell: FolderBell, tmp_path: Path) -> None:
    second = FolderBell(tmp_path)
    times: list[float] = []
    threads = [
        threading.Thread(target=lambda each=each: times.append(waited_s(each, LONG_S))) for each in (bell, second)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    ring(tmp_path)
    for thread in threads:
        thread.join()
    second.close()
    assert all(0.1 < each < LONG_S / 2 for each in times)


def test_each_stroke_is_counted_off_once(bell: FolderBell, tmp_path: Path) -> None:
    ring(tmp_path)
    ring(tmp_path)
    bell.count_off()
    assert waited_s(bell, LONG_S) < LONG_S / 2, "one is left"
    bell.count_off()
    assert waited_s(bell, 0.1) >= 0.09
    bell.count_off()  # there is none, and that is no error


def test_strokes_nobody_counts_never_hold_up_who_rings(bell: FolderBell, tmp_path: Path) -> None:
    for _ in range(100_000):  # more than a pipe holds
        ring(tmp_path)
    assert waited_s(bell, LONG_S) < LONG_S / 2


def test_ringing_where_nobody_listens_or_nothing_is(tmp_path: Path) -> None:
    FolderBell(tmp_path).close()
    ring(tmp_path)
    ring(tmp_path / "missing")
    later = FolderBell(tmp_path)
    assert waited_s(later, 0.1) >= 0.09, "what nobody heard is forgotten"
    later.close()


def test_without_a_pipe_it_looks_often_instead(tmp_path: Path) -> None:
    bell = FolderBell(tmp_path / "missing")
    assert waited_s(bell, LONG_S) < LONG_S / 2
    bell.count_off()
    bell.close()


def test_closing_gives_both_ends_back(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    bell = FolderBell(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before + 2
    bell.close()
    assert len(os.listdir("/proc/self/fd")) == before
