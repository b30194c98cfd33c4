"""A real HTTP server that answers from a script, to see what the client sends and how it takes trouble."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.common.errors import error_named
from services.gateway.problems import problem_of


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeServer:
    """Answers in turn; the last one again and again. `seen` is what arrived."""

    answers: list[Answer]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(*answers: Answer) -> Iterator[FakeServer]:
    fake = FakeServer(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.seen.append(Seen(self.command, self.path, dict(self.headers), body))
            answer = fake.next()
            if answer.hang_up:
                self.close_connection = True
                return
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def problem(status: int, code: str, detail: str = "a sentence", **headers: str) -> Answer:
    said = problem_of(error_named(code)(detail)).model_dump(exclude_none=True)
    body = {**said, "status": status, "code": code}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def job(status: str, stage: str | None = None, **fields: Any) -> dict[str, Any]:
    """A job as the API shows it."""
    return {
        "id": "0192f0c1-0000-7000-8000-000000000001",
        "kind": "detection",
        "status": status,
        "steps": ["detector"],
        "stage": stage,
        "models": {"detector": "yolov8n-face@2026.11.1"},
        "error": None,
        "result": None,
        **fields,
    }


def face(index: int, **fields: Any) -> dict[str, Any]:
    return {
        "index": index,
        "box": {"x": 10.4, "y": 20.6, "width": 30.0, "height": 40.0},
        "confidence": 0.97,
        "crop_url": f"/v1/jobs/0192f0c1-0000-7000-8000-000000000001/images/face-{index}",
        "attributes": None,
        **fields,
    }
