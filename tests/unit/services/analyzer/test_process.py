"""A fresh analyzer process: no network, no framework, little memory."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.services.analyzer.no_network import CALLS

ROOT = Path(__file__).resolve().parents[4]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in CALLS, reason="needs Linux's seccomp"
)

FORBIDDEN = "from tests.unit.services.analyzer.no_network import forbid; forbid(); import socket; "

# All that the worker does with the model, from its start to the answers of a job.
ANALYZE = """
import sys
from tests.unit.services.analyzer.no_network import forbid
forbid()
import numpy as np
from services.analyzer.stage import AnalyzerStage
from services.common.inference.bundle import load_bundle
from services.common.settings import Settings
assert not {"deepface", "onnxruntime"} & set(sys.modules), "loaded at import"
stage = AnalyzerStage()
bundles = {attribute: load_bundle(folder) for attribute, folder in stage.bundle_folders.items()}
model = stage.build(bundles, Settings(threads=2))
answers = model.analyze(np.zeros((30, 160, 160, 3), np.uint8), tuple(bundles))
assert len(answers) == 30 and all(set(answer) == set(bundles) for answer in answers)
heavy = {"torch", "tensorflow", "keras", "ultralytics", "pandas"} & {name.split(".")[0] for name in sys.modules}
assert not heavy, heavy
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def run(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPFACE", "FACEKIT"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**plain, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "socket.getaddrinfo('example.org', 80)",
    ],
)
def test_the_guard_kills_whoever_reaches_out(attempt: str, tmp_path: Path) -> None:
    assert run(FORBIDDEN + attempt, tmp_path).returncode == -signal.SIGSYS


def test_the_analyzer_needs_no_network_no_torch_and_little_memory(tmp_path: Path) -> None:
    done = run(ANALYZE, tmp_path)
    assert done.returncode == 0, (done.returncode, done.stderr)
    peak_mb = int(done.stdout.split()[-1])
    print(f"peak memory {peak_mb} MB")
    assert peak_mb <= 450
    assert not any(tmp_path.iterdir()), "nothing is left in the user's home"
