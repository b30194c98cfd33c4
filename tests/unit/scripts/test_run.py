"""`make run` over tiny programs: it starts, watches, restarts and stops real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.embedded import home as home_module
from scripts.embedded.child import ROOT, Child
from scripts.embedded.free_port import free_port
from scripts.embedded.home import CannotStart, Home
from scripts.embedded.stack import apart
from services.common.settings import load_settings
from tests.environment import without_settings

STAGES = ("detector", "analyzer", "verifier")


class Launcher:
    """The launcher as a process, its terminal output in a file."""

    def __init__(self, home: Path, port: int, **variables: str) -> None:
        self.home = home
        self.output = home.parent / f"terminal-{port}.txt"
        environment = without_settings()
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.unit.scripts.tiny_run"],
                cwd=ROOT,
                env={**environment, "FACEKIT_HOME": str(home), "FACEKIT_PORT": str(port), **variables},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text()

    def record(self) -> dict[str, Any]:
        """Read whole: the launcher replaces the content, not the file, and may be at it."""
        wait_for(lambda: (self.home / "stack.json").read_text().endswith("}\n"))
        found: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return found

    def until_ready(self) -> dict[str, Any]:
        wait_for(lambda: "ready after" in self.said() or self.process.poll() is not None)
        assert "ready after" in self.said(), self.said()
        return self.record()


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether the process has ended; one whose parent has died may stay a zombie where nobody collects it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launcher]]:
    started: list[Launcher] = []

    def start(home: Path = tmp_path / "home", port: int | None = None, **variables: str) -> Launcher:
        started.append(Launcher(home, port or free_port(), **variables))
        return started[-1]

    yield start
    for launcher in started:
        if launcher.process.poll() is None:
            launcher.process.kill()
        launcher.process.wait()


def test_it_starts_all_four_and_ctrl_c_stops_all_of_it(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    record = launcher.until_ready()
    assert set(record["children"]) == {*STAGES, "gateway"}
    assert record["url"] in launcher.said()
    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(10) == 0
    assert all(gone(pid) for pid in record["children"].values())


def test_children_get_what_the_env_file_said_at_the_start(launch: Callable[..., Launcher], tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    env_file.write_text("FACEKIT_LEASE_S=7\nFACEKIT_PORT=1\n")
    launcher = launch(FACEKIT_ENV_FILE=str(env_file))
    for pid in launcher.until_ready()["children"].values():
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
        assert "FACEKIT_LEASE_S=7" in variables and "FACEKIT_PORT=1" not in variables, "the shell's port wins"


def test_a_system_apart_touches_nothing_of_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench and the screenshots; what a variable of the shell names is meant for them."""
    lines = ("FACEKIT_DATABASE_URL=postgresql://h/d", "FACEKIT_API_KEYS=a:read:b", "FACEKIT_THREADS=1")
    (tmp_path / "env").write_text("\n".join(lines))
    monkeypatch.setenv("FACEKIT_ENV_FILE", str(tmp_path / "env"))
    monkeypatch.setenv("FACEKIT_STORE_URL", "s3://bench")
    settings = load_settings(apart(tmp_path / "home"))
    assert (settings.home, settings.api_keys, settings.threads) == (tmp_path / "home", "", 1)
    assert settings.effective_database_url.startswith("sqlite") and settings.effective_store_url == "s3://bench"


def test_warnings_reach_the_terminal_and_the_rest_the_logs(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    launcher.until_ready()
    wait_for(lambda: "facekit: analyzer: analyzer runs low" in launcher.said())
    assert "nothing to tell" not in launcher.said()
    assert "nothing to tell" in (launcher.home / "logs" / "analyzer.log").read_text()


def test_killed_child_is_started_again(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    before = launcher.until_ready()["children"]
    (left,) = (launcher.home / "tmp" / "verifier").iterdir()
    os.kill(before["verifier"], signal.SIGKILL)
    wait_for(lambda: "verifier was killed by SIGKILL; starting it again" in launcher.said())
    wait_for(lambda: launcher.record()["children"]["verifier"] != before["verifier"])
    assert launcher.record()["children"]["detector"] == before["detector"]
    wait_for(lambda: any(left.parent.iterdir()) and not left.exists())  # a temporary file of the killed one


def test_children_end_with_a_killed_launcher_and_the_home_is_free_again(launch: Callable[..., Launcher]) -> None:
    launcher = launch()
    children = launcher.until_ready()["children"]
    launcher.process.kill()
    launcher.process.wait()
    wait_for(lambda: all(gone(pid) for pid in children.values()), timeout_s=5)
    launch().until_ready()


def test_second_system_in_one_home_is_refused_in_one_line(launch: Callable[..., Launcher]) -> None:
    first = launch()
    url = first.until_ready()["url"]
    second = launch()  # the same home, another port
    assert second.process.wait(20) == 1
    assert second.said().count("\n") == 1
    assert f"already runs with {first.home} at {url}" in second.said()
    assert first.process.poll() is None


def test_busy_port_is_one_line(launch: Callable[..., Launcher]) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(1)
        launcher = launch(port=busy.getsockname()[1])
        assert launcher.process.wait(20) == 1
    assert launcher.said().count("\n") == 1
    assert "choose another with FACEKIT_PORT" in launcher.said()


def test_child_that_cannot_start_is_told_with_its_log(launch: Callable[..., Launcher], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "fail").touch()
    launcher = launch()
    assert launcher.process.wait(20) == 1
    assert "ended with code 1 while starting" in launcher.said()
    assert "cannot start: the bundle is damaged" in launcher.said()


def test_unusable_or_full_home_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="choose another with FACEKIT_HOME"):
        Home(tmp_path / "file" / "home").open()
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(home_module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CannotStart, match=r"only 1 MB are free .* make room"):
        Home(tmp_path / "home").open()


def test_last_log_is_kept_and_a_long_one_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "detector.log"
    log.write_text("from the last time\n")
    child = Child("detector", "module", {}, tmp_path, tmp_path / "tmp")
    assert (tmp_path / "detector.log.1").read_text() == "from the last time\n"
    monkeypatch.setattr("scripts.embedded.child.MAX_LOG_BYTES", 100)
    log.write_text(json.dumps({"level": "ERROR", "message": "x" * 200}) + "\n")
    assert child.new_warnings() == ["x" * 200]
    assert log.read_text() == ""
    log.write_text(json.dumps({"level": "WARNING", "message": "after the cut"}) + "\nhalf a li")
    assert child.new_warnings() == ["after the cut"]


def test_restarts_wait_longer_each_time(tmp_path: Path) -> None:
    child = Child("detector", "module", {}, tmp_path, tmp_path / "tmp")
    child._started_at = time.monotonic()
    delays = [child.restart_delay_s() for _ in range(8)]
    assert delays == sorted(delays)
    assert delays[0] < 1
    assert delays[-1] == 30
