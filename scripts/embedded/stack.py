"""EmbeddedStack: gateway and workers as processes of this machine, without Docker and without any server."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.embedded.child import ROOT, Child
from scripts.embedded.free_port import free_port
from scripts.embedded.home import CannotStart, Home
from services.common.flows.registry import STAGES
from services.common.settings import load_settings
from services.common.settings.load import environment

PROGRAMS = {**{stage: f"services.{stage}" for stage in STAGES}, "gateway": "services.gateway"}
READY_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 8.0
LOOK_EVERY_S = 0.1

# Whatever proxy this machine uses for the world must not be asked for its own port.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def apart(home: Path) -> dict[str, str]:
    """Overrides for a system that lives in `home` beside the one that `.env` describes and touches nothing of it: no
    server named there is used, but one that a variable of the shell names is."""
    servers = ("FACEKIT_DATABASE_URL", "FACEKIT_STORE_URL", "FACEKIT_BROKER_URL")
    own = {"FACEKIT_HOME": str(home), "FACEKIT_PORT": str(free_port()), "FACEKIT_HOST": "", "FACEKIT_API_KEYS": ""}
    return own | {name: "" for name in servers if name not in os.environ}


class EmbeddedStack:
    """Starts the same entry points as the containers and keeps them alive.

    `overrides` are `FACEKIT_*` variables on top of this process's own and those of `.env`; `say` receives lines for
    people; `programs` are modules by name. All methods but `stop_soon` belong to one thread. A setting that cannot be
    used ends the program, as `load_settings` says.
    """

    def __init__(
        self,
        overrides: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
        programs: Mapping[str, str] = PROGRAMS,
    ) -> None:
        self._settings = load_settings(overrides)
        self._environment = {**os.environ, **environment(), **(overrides or {})}
        self._say = say
        self._programs = programs
        self._home = Home(self._settings.home)
        self._stopping = threading.Event()
        self.children: dict[str, Child] = {}
        self.url = self._settings.url

    @property
    def home(self) -> Path:
        return self._home.folder

    def start(self) -> float:
        """Starts everything; returns the seconds until it was ready. Raises CannotStart, with nothing left running."""
        started = time.monotonic()
        self._home.open()
        try:
            self._check_port()
            self._make_children()
            for child in self.children.values():
                child.start()
            self._write_record()
            self._wait_until_ready(started)
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - started

    def supervise(self) -> None:
        """Starts a child that ends again, passes its warnings on, and returns after `stop_soon`."""
        due: dict[str, float] = {}
        while not self._stopping.wait(LOOK_EVERY_S):
            for child in self.children.values():
                for line in child.new_warnings():
                    self._say(f"{child.name}: {line}")
                ended = child.ended()
                if ended is None:
                    continue
                if child.name not in due:
                    delay_s = child.restart_delay_s()
                    due[child.name] = time.monotonic() + delay_s
                    self._say(f"{child.name} {ended}; starting it again in {delay_s:g} s (log: {child.log_path})")
                elif time.monotonic() >= due[child.name]:
                    del due[child.name]
                    child.start()
                    self._write_record()

    def stop_soon(self) -> None:
        """From a signal handler or another thread: makes `start` or `supervise` return."""
        self._stopping.set()

    def stop(self) -> None:
        """Lets the children finish what they hold for some seconds, then ends them; gives the home back."""
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self.children.values():
            if not child.wait(deadline - time.monotonic()):
                child.kill()
                child.wait(STOP_TIMEOUT_S)
        self._home.close()

    def _check_port(self) -> None:
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._settings.host, self._settings.port))
                probe.listen(1)
            except OSError as error:
                raise CannotStart(
                    f"port {self._settings.port} of {self._settings.host} cannot be used ({error.strerror}); "
                    "choose another with FACEKIT_PORT"
                ) from error

    def _make_children(self) -> None:
        beats = self.home / "heartbeats"
        beats.mkdir(exist_ok=True)
        environment = {
            "FACEKIT_FRONTEND": str(ROOT / "frontend"),
            **self._environment,
            "FACEKIT_HOME": str(self.home),
            "FACEKIT_PORT": str(self._settings.port),
            "PYTHONUNBUFFERED": "1",
        }
        for name, module in self._programs.items():
            beat = beats / name
            beat.unlink(missing_ok=True)
            own = {"FACEKIT_HEARTBEAT_FILE": str(beat)} if name in STAGES else {}
            scratch = self.home / "tmp" / name
            self.children[name] = Child(name, module, {**environment, **own}, self._home.logs, scratch)

    def _write_record(self) -> None:
        """For people, `make run` again and tests: who runs here, and where it answers."""
        pids = {name: child.pid for name, child in self.children.items()}
        self._home.write({"pid": os.getpid(), "url": self.url, "children": pids})

    def _wait_until_ready(self, started: float) -> None:
        while not (self._workers_consume() and self._gateway_is_ready()):
            for child in self.children.values():
                for line in child.new_warnings():
                    self._say(f"{child.name}: {line}")
                ended = child.ended()
                if ended is not None:
                    lines = [f"{child.name} {ended} while starting. Its log:", *child.last_lines()]
                    raise CannotStart("\n  ".join(lines))
            if time.monotonic() - started > READY_TIMEOUT_S:
                raise CannotStart(f"not ready after {READY_TIMEOUT_S:.0f} s; the logs in {self._home.logs} say why")
            if self._stopping.wait(LOOK_EVERY_S):
                raise CannotStart("stopped before it was ready")

    def _workers_consume(self) -> bool:
        return all((self.home / "heartbeats" / name).exists() for name in self._programs if name in STAGES)

    def _gateway_is_ready(self) -> bool:
        try:
            with _direct.open(f"{self.url}/readyz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
