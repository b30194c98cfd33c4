"""A whole gateway on embedded adapters, behind a real socket: application, ports and server as production has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from httpx import Client, Response

from services.common.flows.registry import kind_named
from services.common.jobs import Job, JobStatus
from services.common.settings import Settings
from services.gateway.__main__ import GatewayServer, listen, server_config
from services.gateway.app import create_app
from services.gateway.context import Gateway
from tests.photos import one_face

PHOTO = one_face()


@dataclass(frozen=True)
class Api:
    """A client of a running gateway, and what stands behind it."""

    client: Client
    gateway: Gateway
    headers: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, photos: dict[str, Any] | None = None, data: Any = None, **headers: str) -> Response:
        files = {name: ("photo.jpg", content, "image/jpeg") for name, content in (photos or {}).items()}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, files=files or None, data=data, headers=self.headers | names)

    def detect(self, photo: bytes = PHOTO, data: Any = None, **headers: str) -> Response:
        return self.post("/v1/detections", {"image": photo}, data, **headers)

    def accepted(self, **data: Any) -> str:
        """The id of a new detection."""
        response = self.detect(data=data)
        assert response.status_code == 202, response.text
        job_id: str = response.json()["id"]
        return job_id

    def get(self, path: str, **parameters: Any) -> Response:
        return self.client.get(path, params=parameters, headers=self.headers)

    def stored(self) -> list[str]:
        """Every object of the store."""
        return list(self.gateway.store.keys(""))

    def rows(self) -> list[Job]:
        return self.gateway.jobs.page(limit=1000)

    def run_stages(self, job_id: str, result: dict[str, Any] | None = None) -> None:
        """What workers do to the table, without their models."""
        jobs = self.gateway.jobs
        while (job := jobs.get(job_id)).status is not JobStatus.SUCCEEDED:
            assert job.stage is not None
            kind = kind_named(job.kind)
            assert jobs.claim(job_id, job.stage, "worker", 30) is not None
            done = result or {"image": {"width": 512, "height": 512, "url": "/x"}, "faces": [], "notice": "no_faces"}
            assert jobs.finish_stage(
                job_id,
                "worker",
                next_stage=kind.stage_after(job.stage, kind.options.model_validate(dict(job.options))),
                result=done,
                timings_ms={job.stage: 1.0},
                models={job.stage: "model@1"},
            )


def problem(response: Response, status: int, code: str) -> str:
    """Checks that the answer is this problem; its detail."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["title"]
    detail: str = body["detail"]
    return detail


Start = Callable[..., Api]


@contextmanager
def served(settings: Settings) -> Iterator[Api]:
    app = create_app(settings)
    listener = listen("127.0.0.1", 0)
    server = GatewayServer(server_config(app), app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the gateway did not start"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        with Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30, trust_env=False) as client:
            yield Api(client, app.state.gateway)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts gateways with these settings beside the defaults; all of a test share one state folder."""
    with ExitStack() as opened:

        def started(**settings: Any) -> Api:
            values = {"home": tmp_path / "state", "sweep_interval_s": 3600.0, **settings}
            return opened.enter_context(served(Settings(**values)))

        yield started


@pytest.fixture
def api(start: Start) -> Api:
    return start()
