"""Starts containers of the stack again that `docker kill` ended: the engine takes it for a stop by hand and, whatever
the restart policy, leaves them. Runs beside the stack (profile `keeper`, compose.yaml), on the engine's socket.

Standard library only, so that it runs in Python's own image. Engine API: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

SOCKET = "/var/run/docker.sock"
PROJECT_LABEL = "com.docker.compose.project"
# `docker stop`, `docker compose down` and an update by `up` say after an end that it was meant; a kill says nothing.
MEANT_S = 2.0
RETRY_S = 2.0
ANSWER_S = 60.0


class Engine:
    """The few calls of the Docker Engine API that a keeper needs. They raise OSError where the engine is away."""

    def __init__(self, path: str = SOCKET) -> None:
        self._path = path

    def events(self, project: str, since: float) -> Iterator[Mapping[str, Any]]:
        """The ends, stops and removals of a project's containers from `since` (Unix time) on, as they happen."""
        filters = {
            "type": ["container"],
            "event": ["die", "stop", "destroy"],
            "label": [f"{PROJECT_LABEL}={project}"],
        }
        with self._call("GET", f"/events?since={since:.9f}&filters={quote(json.dumps(filters))}", None) as answer:
            for line in answer:
                yield json.loads(line)

    def inspect(self, container: str) -> Mapping[str, Any] | None:
        """None once it is removed."""
        with self._call("GET", f"/containers/{container}/json", ANSWER_S) as answer:
            return None if answer.status == 404 else json.load(answer)

    def start(self, container: str) -> bool:
        """Whether it runs now; not so when it was removed meanwhile."""
        with self._call("POST", f"/containers/{container}/start", ANSWER_S) as answer:
            return answer.status in (204, 304)

    def _call(self, method: str, path: str, timeout_s: float | None) -> http.client.HTTPResponse:
        connection = _UnixConnection(self._path, timeout_s)
        connection.request(method, path, headers={"Connection": "close"})
        answer = connection.getresponse()
        if answer.status >= 400 and answer.status != 404:
            raise OSError(f"{method} {path.partition('?')[0]}: {answer.status} {answer.read(500)!r}")
        return answer


class Keeper:
    """Remembers who ended and starts them again after `meant_s`, unless the engine says that it was meant."""

    def __init__(self, engine: Engine, *, meant_s: float = MEANT_S, say: Callable[[str], None] = print) -> None:
        self._engine = engine
        self._meant_s = meant_s
        self._say = say
        self._ended: dict[str, threading.Timer] = {}

    def heard(self, event: Mapping[str, Any]) -> None:
        container = event["Actor"]["ID"]
        if (pending := self._ended.pop(container, None)) is not None:
            pending.cancel()
        if event["Action"] == "die":
            timer = threading.Timer(self._meant_s, self._start, [container])
            timer.daemon = True
            self._ended[container] = timer
            timer.start()

    def _start(self, container: str) -> None:
        try:
            found = self._engine.inspect(container)
            if found is None or not is_missed(found):
                return
            if self._engine.start(container):
                self._say(f"{found['Name'].removeprefix('/')} had been killed ({found['State']['ExitCode']}): started")
        except OSError as error:
            self._say(f"{container[:12]} not started: {error}")


def is_missed(container: Mapping[str, Any]) -> bool:
    """Whether it should run, by its own restart policy, and does not. One-shot services are not meant to go on."""
    policy = container["HostConfig"]["RestartPolicy"]["Name"]
    return policy in ("always", "unless-stopped") and container["State"]["Status"] == "exited"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.close()
            raise


def main() -> None:
    project = os.environ["KEEPER_PROJECT"]
    engine = Engine()
    keeper = Keeper(engine, say=lambda line: print(line, flush=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    since = time.time()
    print(f"keeping the containers of {project}", flush=True)
    while True:
        try:
            for event in engine.events(project, since):
                since = event["timeNano"] / 1e9
                keeper.heard(event)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"the engine does not answer: {error}", flush=True)
        time.sleep(RETRY_S)


if __name__ == "__main__":
    main()
