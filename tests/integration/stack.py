"""An embedded stack whose processes a test can kill one by one: the same programs and settings as `make run`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

from scripts.bench.proc import memory_mb
from tests.environment import without_settings

REPOSITORY = Path(__file__).resolve().parents[2]
WORKERS = ("detector", "analyzer", "verifier")
# Settings with which losses show quickly.
SHORT_LEASES = {"lease_s": 2, "sweep_interval_s": 0.3, "hint_after_s": 1}
TERMINAL = {"succeeded", "failed", "cancelled"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Gateway and workers as separate processes over one home folder."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {
            **without_settings(),
            "FACEKIT_HOME": str(home),
            "FACEKIT_PORT": str(self.port),
            "FACEKIT_FRONTEND": str(REPOSITORY / "frontend"),
            "TMPDIR": str(home),  # killed processes leave temporary folders behind
        }
        self.set(**settings)

    def set(self, **settings: object) -> None:
        """Settings of the processes started from now on."""
        self._environment |= {f"FACEKIT_{name.upper()}": str(value) for name, value in settings.items()}

    def start(self, *names: str) -> None:
        for name in names or ("gateway", *WORKERS):
            log = (self.home / f"{name}.log").open("ab")
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"],
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            log.close()

    def start_missing(self) -> None:
        """Starts every process that does not run."""
        running = {name for name, process in self._processes.items() if process.poll() is None}
        missing = [name for name in ("gateway", *WORKERS) if name not in running]
        if missing:
            self.start(*missing)

    def wait_ready(self, stages: Iterable[str] = WORKERS, timeout_s: float = 90) -> None:
        """Until the gateway answers and a worker started after this call's gateway beats for every stage."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended with {process.returncode}:\n{self.log(name)[-3000:]}")
            try:
                answer = requests.get(f"{self.url}/readyz", timeout=15)
                if answer.ok and set(stages) <= {k for k, n in answer.json()["workers"].items() if n}:
                    return
            except (requests.ConnectionError, requests.Timeout):
                pass
            time.sleep(0.1)
        raise AssertionError("not ready in time:\n" + "\n".join(self.log(name)[-1500:] for name in self._processes))

    def log(self, name: str) -> str:
        path = self.home / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def peak_memory_mb(self) -> dict[str, float]:
        """The highest resident memory of each running process so far; empty where there is no /proc."""
        return {name: memory_mb(process.pid).get("peak", 0.0) for name, process in self._processes.items()}

    def kill(self, *names: str) -> None:
        """kill -9, all at once."""
        doomed = [self._processes.pop(name) for name in names or tuple(self._processes)]
        for process in doomed:
            process.send_signal(signal.SIGKILL)
        for process in doomed:
            process.wait()

    def pause(self, name: str) -> None:
        """The process does nothing until `resume`: what is submitted meanwhile waits for it."""
        self._processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def detect(self, photo: bytes, **fields: str) -> requests.Response:
        return requests.post(
            f"{self.url}/v1/detections", files={"image": ("photo.jpg", photo)}, data=fields, timeout=30
        )

    def verify(self, anchor: bytes, photo: bytes, **fields: str) -> requests.Response:
        return requests.post(
            f"{self.url}/v1/verifications",
            files={"anchor": ("anchor.jpg", anchor), "image": ("photo.jpg", photo)},
            data=fields,
            timeout=30,
        )

    def job(self, job_id: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/v1/jobs/{job_id}", timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def finished(self, job_id: str, timeout_s: float = 60) -> dict[str, Any]:
        """The job once it has ended; holds on through a gateway that is away."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                answer = requests.get(f"{self.url}/v1/jobs/{job_id}", params={"wait": 5}, timeout=30)
                answer.raise_for_status()
                if answer.json()["status"] in TERMINAL:
                    return dict(answer.json())
            except requests.ConnectionError:
                time.sleep(0.2)
        raise AssertionError(f"job {job_id} did not end in {timeout_s} s; last seen {self.job(job_id)}")
