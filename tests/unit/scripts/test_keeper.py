"""The keeper starts what was killed, and leaves alone what somebody stopped, removed, or never meant to go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from scripts.deployment.keeper import Engine, Keeper

MEANT_S = 0.05


class EngineOf(Engine):
    """An engine with one container."""

    def __init__(self, policy: str = "unless-stopped", status: str = "exited", *, removed: bool = False) -> None:
        self.started: list[str] = []
        self._shown = {
            "Name": "/facekit-detector-1",
            "HostConfig": {"RestartPolicy": {"Name": policy}},
            "State": {"Status": status, "ExitCode": 137},
        }
        self._removed = removed

    def inspect(self, container: str) -> Mapping[str, Any] | None:
        return None if self._removed else self._shown

    def start(self, container: str) -> bool:
        self.started.append(container)
        return True


def started_after(engine: EngineOf, *actions: str) -> list[str]:
    said: list[str] = []
    keeper = Keeper(engine, meant_s=MEANT_S, say=said.append)
    for action in actions:
        keeper.heard({"Action": action, "Actor": {"ID": "c0ffee"}})
    time.sleep(6 * MEANT_S)
    assert len(said) == len(engine.started)
    return engine.started


def test_a_killed_container_is_started() -> None:
    assert started_after(EngineOf(), "die") == ["c0ffee"]


@pytest.mark.parametrize("meant", ["stop", "destroy"])
def test_what_was_meant_to_end_is_left_alone(meant: str) -> None:
    assert started_after(EngineOf(), "die", meant) == []


@pytest.mark.parametrize("policy", ["no", "on-failure"])
def test_one_shot_services_are_left_alone(policy: str) -> None:
    assert started_after(EngineOf(policy), "die") == []


@pytest.mark.parametrize("status", ["running", "restarting"])
def test_what_the_engine_started_itself_is_left_alone(status: str) -> None:
    assert started_after(EngineOf(status=status), "die") == []


def test_a_container_removed_meanwhile_is_no_trouble() -> None:
    assert started_after(EngineOf(removed=True), "die") == []


def test_an_engine_that_is_away_is_said_and_survived(tmp_path: Any) -> None:
    said: list[str] = []
    keeper = Keeper(Engine(str(tmp_path / "no.sock")), meant_s=MEANT_S, say=said.append)
    keeper.heard({"Action": "die", "Actor": {"ID": "c0ffee"}})
    time.sleep(6 * MEANT_S)
    assert len(said) == 1 and said[0].startswith("c0ffee not started:")
