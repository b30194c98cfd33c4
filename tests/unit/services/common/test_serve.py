"""A worker that cannot start says why in one line and ends with 1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("BUNDLES", "{home}/nothing", "is no folder"),
        ("DATABASE_URL", "mysql://h/d", "FACEKIT_DATABASE_URL"),
        ("DEVICE", "cuda", "computes on CPUs alone"),
    ],
)
def test_a_worker_that_cannot_start_says_why(tmp_path: Path, setting: str, value: str, told: str) -> None:
    environment = os.environ | {
        "FACEKIT_HOME": str(tmp_path),
        f"FACEKIT_{setting}": value.format(home=tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "services.verifier"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert told in json.loads(line)["message"]
