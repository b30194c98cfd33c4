"""compose.gpu.yaml over compose.yaml, as Compose itself reads the two: every worker computes on a GPU it reserves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = dict.fromkeys(
    ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY", "STACK_API_KEYS"), "x"
)


def services(*files: str) -> dict[str, Any]:
    """By name, with the defaults of the files: nothing of this machine's .env."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("no Docker with Compose v2 on this machine")
    command = ["docker", "compose", "--env-file", os.devnull, "--profile", "*"]
    command += [option for file in files for option in ("--file", file)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("FACEKIT_", "COMPOSE_"))}
    read = subprocess.run(
        [*command, "config", "--format", "json"], cwd=ROOT, env=plain | SECRETS, capture_output=True, text=True
    )
    assert read.returncode == 0, read.stderr
    return dict(json.loads(read.stdout)["services"])


@pytest.fixture(scope="module")
def on_cpu() -> dict[str, Any]:
    return services("compose.yaml")


@pytest.fixture(scope="module")
def on_gpu() -> dict[str, Any]:
    return services("compose.yaml", "compose.gpu.yaml")


def gpus(service: dict[str, Any]) -> list[dict[str, Any]]:
    return list(service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", []))


def test_every_worker_gets_a_gpu_and_an_image_for_it(on_cpu: dict[str, Any], on_gpu: dict[str, Any]) -> None:
    workers = {name for name, service in on_cpu.items() if "FACEKIT_DEVICE" in service.get("environment", {})}
    assert workers >= {"detector", "analyzer", "verifier"}
    for name in workers:
        service = on_gpu[name]
        assert gpus(service) == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}], name
        assert service["environment"]["FACEKIT_DEVICE"] == "cuda"
        assert service["build"]["args"] == on_cpu[name]["build"]["args"] | {"GPU": "1"}
        assert service["image"] != on_cpu[name]["image"]
        assert int(service["mem_limit"]) > int(on_cpu[name]["mem_limit"])


def test_whoever_borrows_a_workers_image_finds_it(on_gpu: dict[str, Any]) -> None:
    built = {service["image"] for service in on_gpu.values() if "build" in service}
    borrowed = {service["image"] for service in on_gpu.values() if service["image"].startswith("facekit/")}
    assert borrowed <= built


def test_nothing_else_differs(on_cpu: dict[str, Any], on_gpu: dict[str, Any]) -> None:
    changed = {name for name in on_gpu if on_gpu[name] != on_cpu.get(name)}
    assert changed == {"detector", "analyzer", "verifier", "graphs", "trainer"}
    assert gpus(on_gpu["trainer"]) and not any(map(gpus, on_cpu.values()))
