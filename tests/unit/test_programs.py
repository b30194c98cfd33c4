"""Every program reads `.env`, and ends with 2 and one line for what it cannot use: no traceback, nothing done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import without_settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "gateway": ("services.gateway",),
    "migrate": ("services.gateway.migrate",),
    "archive": ("services.gateway.archive", "save"),
    "detector": ("services.detector",),
    "analyzer": ("services.analyzer",),
    "verifier": ("services.verifier",),
    "make run": ("scripts.embedded",),
    "bench": ("scripts.bench",),
    "client": ("scripts.client", "detect", "photo.jpg"),
    "graphs": ("scripts.deployment.fetch_deepface_graphs", "age"),
    "publish": ("trainer", "detector", "publish", "--bundle", "services/detector/model"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_cannot_be_used_is_a_line_in_every_program(program: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"FACEKIT_HOME={tmp_path / 'home'}\nFACEKIT_THREADS=none\nFACEKIT_MAX_PIXLES=1\n")
    ended = subprocess.run(
        [sys.executable, "-m", *PROGRAMS[program]],
        cwd=ROOT,
        env=without_settings() | {"FACEKIT_ENV_FILE": str(tmp_path / "env")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "FACEKIT_MAX_PIXLES: there is no such setting; the nearest is FACEKIT_MAX_PIXELS",
        "FACEKIT_THREADS: 'none' cannot be used; accepted is a whole number, 1 or more",
    ]
    assert not ended.stdout
    assert not (tmp_path / "home").exists()
