"""The stack of compose.yaml under a project name, port and secrets of its own, for tests to use and to hurt."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import requests

from scripts.free_port import free_port
from scripts.stack_env import complete

ROOT = Path(__file__).resolve().parents[3]
TERMINAL = {"succeeded", "failed", "cancelled"}
UP_TIMEOUT_S = 900.0


class ComposeStack:
    """`folder` keeps the .env file; nothing of a stack that `make up` started is touched."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.project = f"facekit-test-{uuid.uuid4().hex[:8]}"
        self.env_file = folder / ".env"
        self.keys = {
            role: key
            for _, role, key in (entry.split(":") for entry in complete(self.env_file)["STACK_API_KEYS"].split(","))
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEKIT_")}
        self._environment |= {f"FACEKIT_{name.upper()}": str(value) for name, value in settings.items()}
        self._environment["FACEKIT_PORT"] = str(port)

    def compose(self, *arguments: str, timeout_s: float = 120) -> str:
        """Raises CalledProcessError, with what compose said, when it fails."""
        command = ["docker", "compose", "--project-name", self.project, "--env-file", str(self.env_file), *arguments]
        finished = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=timeout_s
        )
        if finished.returncode:
            raise AssertionError(f"{' '.join(command)}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
        return finished.stdout

    def up(self) -> None:
        self.compose("up", "--detach", "--build", "--wait", timeout_s=UP_TIMEOUT_S)

    def wait_ready(self, timeout_s: float = 120) -> None:
        """Until everything behind the gateway answers and each stage has a worker."""
        deadline = time.monotonic() + timeout_s
        answer: requests.Response | None = None
        while time.monotonic() < deadline:
            answer = requests.get(f"{self.url}/readyz", timeout=60)
            if answer.ok and all(answer.json()["workers"].values()):
                return
            time.sleep(1)
        raise AssertionError(f"not ready in {timeout_s} s: {answer.text if answer is not None else ''}")

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).split()[0]

    def inspect(self, service: str) -> dict[str, Any]:
        shown = subprocess.run(
            ["docker", "inspect", self.container(service)], check=True, capture_output=True, text=True
        ).stdout
        return dict(json.loads(shown)[0])

    def kill(self, service: str) -> None:
        """kill -9 of everything in the container, as a crash would be: after the engine's own `docker kill` no restart
        policy would bring it back."""
        command = ["docker", "exec", self.container(service), "sh", "-c", "kill -9 -1"]
        subprocess.run(command, capture_output=True, timeout=60)  # its status is that of the killed shell

    def call(self, method: str, path: str, role: str = "submit", **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **arguments)

    def detect(self, photo: bytes, **fields: str) -> str:
        """The id of the accepted job."""
        answer = self.call("POST", "/v1/detections", files={"image": ("photo.jpg", photo)}, data=fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def finished(self, job_id: str, timeout_s: float = 120) -> dict[str, Any]:
        """The job once it has ended; what is away for a while is asked again."""
        deadline = time.monotonic() + timeout_s
        job: dict[str, Any] = {}
        while time.monotonic() < deadline:
            answer = self.call("GET", f"/v1/jobs/{job_id}", params={"wait": 10})
            assert answer.status_code in (200, 502, 503, 504), answer.text
            job = answer.json()
            if job["status"] in TERMINAL:
                return job
            if answer.status_code != 200:
                time.sleep(1)
        raise AssertionError(f"job did not end in {timeout_s} s: {job}")
