"""The benchmark's parts that need no model: its photos, its memory figures, its report."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from scripts.bench.cpu import around_model_ms, cpu_now_s, medians_ms, per_image_ms
from scripts.bench.photos import composed_photos, folder_photos
from scripts.bench.proc import cpu_s, memory_mb
from scripts.bench.report import report


def test_composed_photos_are_the_same_each_time() -> None:
    photos = composed_photos(3)
    assert photos == composed_photos(3)
    assert len(set(photos)) == 3
    assert {Image.open(io.BytesIO(photo)).size for photo in photos} == {(1280, 960)}


def test_folder_gives_its_photos_and_only_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no photo"):
        folder_photos(tmp_path)
    (tmp_path / "b.JPG").write_bytes(b"second")
    (tmp_path / "a.png").write_bytes(b"first")
    (tmp_path / "notes.txt").write_bytes(b"no photo")
    assert folder_photos(tmp_path) == [b"first", b"second"]


def test_peak_memory_is_at_least_what_is_used_now() -> None:
    used = memory_mb(os.getpid())
    assert 0 < used["now"] <= used["peak"]
    assert memory_mb(2**22 + 1) == {}


def test_processor_time_is_that_of_the_process_and_not_of_the_clock() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle:
        before, started_s = cpu_now_s({"idle": idle.pid}), time.process_time()
        while time.process_time() - started_s < 0.2:
            pass
        spent = per_image_ms(before, cpu_now_s({"idle": idle.pid}), images=10)
        idle.communicate(b"\n")
    assert 19.9 < spent["client"] < 40
    assert 0 <= spent["idle"] < 10
    assert spent["whole stack"] == pytest.approx(spent["client"] + spent["idle"])
    assert cpu_s(2**22 + 1) is None and "gone" not in cpu_now_s({"gone": 2**22 + 1})


def test_a_process_that_ended_in_one_round_keeps_the_others() -> None:
    rounds = [{"a": 1.0, "b": 5.0}, {"a": 3.0}, {"a": 2.04}]
    assert medians_ms(rounds) == {"a": 2.0, "b": 5.0}


def test_around_the_model_everything_counts_but_the_model() -> None:
    around = around_model_ms({"detector": 48.0, "gateway": 11.0, "client": 2.0, "whole stack": 61.0}, model_ms=40.0)
    assert around == {"detector": 8.0, "gateway": 11.0, "client": 2.0, "whole stack": 21.0}


def test_report_shows_every_figure_with_the_machine_it_is_from() -> None:
    idle = {"jobs": 30, "latency_median": 101.5, "overhead_median": 31.5, "overhead_p95": 44.5}
    text = report(
        {
            "machine": {"cores": 2, "cpu": "a CPU", "python": "3.12.1"},
            "load_before": 0.25,
            "model": "yolov8n-face@1",
            "photos": {"from": "composed of the astronaut", "count": 24},
            "ready_s": 4.26,
            "bare_images_per_s": [10.0, 20.0, 30.0],
            "stack_images_per_s": [9.0, 19.0, 29.0],
            "stack_to_bare": 0.951,
            "cpu_ms_per_image": {"bare detector": 76.3, "detector": 48.2, "gateway": 12.6},
            "cpu_ms_around_model": {"detector": 7.9, "gateway": 12.6},
            "idle_ms": [{"kind": "detection", **idle}],
            "memory_mb": {"detector": {"now": 210.4, "peak": 260.6}, "gone": {}},
        }
    )
    for shown in (
        "yolov8n-face@1 on 2 cores",
        "20.00",
        "19.00",
        "0.951",
        "4.3",
        "31.5",
        "44.5",
        "210   261",
        "76.3",
        "48.2               7.9",
        "12.6",
    ):
        assert shown in text
