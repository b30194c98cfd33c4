"""The stack as a user gets it: a clean clone, `make up`, a port of its own; for tests to use and to hurt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.embedded.free_port import free_port

ROOT = Path(__file__).resolve().parents[3]
TERMINAL = {"succeeded", "failed", "cancelled"}
UP_TIMEOUT_S = 1200.0
AWAY = (requests.ConnectionError, requests.Timeout)


class ComposeStack:
    """A clone of this checkout in `folder`, uncommitted changes included. Its containers, volumes and image tags are
    its own: nothing of a stack that runs here already is touched."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.project = f"facekit-test-{uuid.uuid4().hex[:8]}"
        self.folder = _clone(folder / "facekit")
        self.keys: dict[str, str] = {}
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("FACEKIT_")}
        self.environment |= {f"FACEKIT_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment |= {"FACEKIT_PORT": str(port), "FACEKIT_TAG": "test", "COMPOSE_PROJECT_NAME": self.project}

    def run(self, *command: str, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command in the clone, its end awaited but not judged."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def done(self, *command: str, timeout_s: float = 120, **environment: str) -> str:
        """What the command printed. Raises AssertionError, with all it said, when it fails."""
        finished = self.run(*command, timeout_s=timeout_s, **environment)
        assert finished.returncode == 0, (
            f"{' '.join(command)}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
        )
        return finished.stdout

    def compose(self, *arguments: str, timeout_s: float = 120, **environment: str) -> str:
        return self.done("docker", "compose", *arguments, timeout_s=timeout_s, **environment)

    def make(self, *arguments: str, timeout_s: float = UP_TIMEOUT_S) -> str:
        said = self.done("make", *arguments, timeout_s=timeout_s)
        shown = re.findall(r"^facekit: API key that may (\w+): (\w+)$", said, flags=re.MULTILINE)
        self.keys |= dict(shown)
        return said

    def wait_ready(self, timeout_s: float = 240) -> None:
        """Until everything behind the gateway answers and each stage has a worker."""

        def ready() -> bool:
            answer = requests.get(f"{self.url}/readyz", timeout=60)
            return answer.ok and all(answer.json()["workers"].values())

        wait_until(ready, "everything is ready", timeout_s)

    def skip_without_disk(self, wanted_bytes: float, what: str) -> None:
        """Skips the test where the engine's disk has less free than `what` takes to build."""
        root = self.done("docker", "info", "--format", "{{.DockerRootDir}}").strip()
        free_bytes = shutil.disk_usage(root if os.path.isdir(root) else "/").free
        if free_bytes < wanted_bytes:
            pytest.skip(f"{what} wants {wanted_bytes / 1e9:.0f} GB of disk, {free_bytes / 1e9:.0f} are free")

    def remove(self) -> None:
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--all", "--quiet", service).split()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says about the service's one container."""
        (container,) = self.containers(service)
        return dict(json.loads(self.done("docker", "inspect", container))[0])

    def kill(self, service: str) -> None:
        """SIGKILL to the container's first process by the kernel, as when memory runs out or a program crashes. (The
        engine's own `docker kill` counts as being stopped by its user: no restart policy follows it.)"""
        pid = self.inspect(service)["State"]["Pid"]
        outside = ["docker", "run", "--rm", "--pid", "host", "--user", "0", "--network", "none"]
        self.done(
            *outside, "--cap-drop", "ALL", "--cap-add", "KILL", "facekit/gateway:test", "sh", "-c", f"kill -9 {pid}"
        )

    def wait_restarted(self, service: str, restarts: int, timeout_s: float = 240) -> None:
        """Until the engine has started the service's container again and calls it healthy."""

        def again() -> bool:
            shown = self.inspect(service)
            return shown["RestartCount"] > restarts and shown["State"]["Health"]["Status"] == "healthy"

        wait_until(again, f"{service} is healthy again", timeout_s)

    def call(self, method: str, path: str, role: str = "submit", **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.keys[role]}"} | arguments.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=60, **arguments)

    def detect(self, photo: bytes, **fields: str) -> str:
        """The id of the accepted job."""
        answer = self.call("POST", "/v1/detections", files={"image": ("photo.jpg", photo)}, data=fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def finished(self, job_id: str, timeout_s: float = 300) -> dict[str, Any]:
        """The job once it has ended; what is away for a while is asked again."""
        job: dict[str, Any] = {}

        def ended() -> bool:
            nonlocal job
            answer = self.call("GET", f"/v1/jobs/{job_id}", params={"wait": 10})
            assert answer.status_code in (200, 502, 503, 504), answer.text
            job = answer.json()
            return job["status"] in TERMINAL

        wait_until(ended, f"job {job_id} ends", timeout_s)
        return job


def wait_until(happened: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Looks every half second; a server that is away has not answered yet. Raises AssertionError in the end."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if happened():
                return
        except AWAY:
            pass
        assert time.monotonic() < deadline, f"in {timeout_s:g} s it did not come about that {what}"
        time.sleep(0.5)


def _clone(folder: Path) -> Path:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    git("clone", "--quiet", ".", str(folder))
    for name in filter(None, git("ls-files", "-z", "--modified", "--others", "--exclude-standard").split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink()
    return folder
