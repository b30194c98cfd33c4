"""`python -m services.gateway` as a process: one clear line when it cannot start, and a clean stop."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.environment import without_settings
from tests.unit.services.gateway.conftest import PHOTO


@contextmanager
def gateway(home: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment = without_settings()
    environment |= {"FACEKIT_HOME": str(home), **{f"FACEKIT_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "services.gateway"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with gateway(tmp_path, PORT=port) as process:
            _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.strip() == f"cannot start: port {port} is in use; choose another with FACEKIT_PORT"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"API_KEYS": "anna:submit"}, "FACEKIT_API_KEYS"),
        ({"BROKER_URL": "carrier-pigeon://loft"}, "FACEKIT_BROKER_URL"),
        ({"FRONTEND": "/nowhere"}, "index.html"),
        ({"HOME": "/proc/facekit"}, "facekit"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_line(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    with gateway(tmp_path, **({"PORT": str(free_port())} | settings)) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    lines = [line for line in errors.splitlines() if not line.startswith("{")]
    assert len(lines) == 1
    assert lines[0].startswith("cannot start: ")
    assert words in lines[0]


def test_it_stops_at_once_though_somebody_waits(tmp_path: Path) -> None:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with (
        gateway(tmp_path, PORT=str(port)) as process,
        httpx.Client(base_url=base_url, timeout=60, trust_env=False) as client,
    ):
        wait_until_ready(client)
        job_id = client.post("/v1/detections", files={"image": ("a.jpg", PHOTO)}).json()["id"]
        answers: list[int] = []
        waiting = threading.Thread(
            target=lambda: answers.append(client.get(f"/v1/jobs/{job_id}", params={"wait": 50}).status_code)
        )
        waiting.start()
        deadline = time.monotonic() + 20
        while "facekit_waiting_clients 1.0" not in client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - started < 10
        waiting.join(10)
        assert answers == [200]
        assert process.returncode in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in errors.splitlines()]
    assert all(line["service"] == "gateway" for line in lines)
    assert any(line.get("job_id") == job_id for line in lines)
    assert not [line for line in lines if line["level"] in ("ERROR", "CRITICAL")]


def test_what_was_accepted_outlives_a_kill(tmp_path: Path) -> None:
    port = str(free_port())
    ids = []
    for _ in range(2):
        with (
            gateway(tmp_path, PORT=port) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
        ):
            wait_until_ready(client)
            assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == ids[::-1]
            ids.append(client.post("/v1/detections", files={"image": ("a.jpg", PHOTO)}).json()["id"])
            process.kill()


LOADED = """
import sys, services.gateway.__main__, services.gateway.migrate, services.gateway.archive
from services.common.settings import Settings
services.gateway.__main__.create_app(Settings(home=sys.argv[1]))
rooms = ("cv2", "onnxruntime", "openvino", "deepface", "services.common.work", "services.common.inference")
print([name for name in sys.modules if name.startswith(rooms)])
"""


def test_the_gateway_loads_no_opencv_and_no_room_of_the_workers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
