"""The trainer's image: unprivileged, with data and runs mounted, it trains, and what it publishes is served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.compose.compose_stack import ComposeStack, wait_until
from tests.e2e.compose.published import made_by, reversioned, serving
from tests.unit.trainer.detector.tiny_widerface import write_tiny_widerface

FREE_BYTES = 30e9  # the image is 7 GB, and while it is built its layers are there twice
BUILD_S = 1800.0


@pytest.fixture(scope="module")
def trainer(stack: ComposeStack) -> Iterator[ComposeStack]:
    """A stack with the trainer's image, which goes again: it is seven gigabytes."""
    stack.skip_without_disk(FREE_BYTES, "the trainer's image")
    stack.compose("--profile", "train", "build", "trainer", timeout_s=BUILD_S)
    yield stack
    stack.done("docker", "image", "rm", "facekit/trainer:test")


def train(stack: ComposeStack, *verb: str) -> str:
    command = ["--profile", "train", "run", "--rm", "-T", "trainer", *verb]
    return stack.compose(*command, timeout_s=600)


def give(stack: ComposeStack, folder: str) -> None:
    """Hands a folder made here to the trainer's user, as whoever runs `make up` without being root has it already."""
    user = next(
        line.partition("=")[2]
        for line in (stack.folder / ".env").read_text(encoding="utf-8").splitlines()
        if line.startswith("TRAINER_USER=")
    )
    stack.done("chown", "-R", user, folder)


@pytest.mark.slow
def test_trains_from_mounted_data_into_mounted_runs(trainer: ComposeStack) -> None:
    assert "prepare" in train(trainer, "detector", "--help")
    write_tiny_widerface(trainer.folder / "data" / "tiny")
    give(trainer, "data")
    train(trainer, "detector", "prepare", "--widerface", "data/tiny", "--out", "runs/tiny/data")
    options = ["--size-px", "96", "--final-size-px", "128", "--batch-size", "2", "--loader-workers", "0"]
    where = ["--data", "runs/tiny/data", "--out", "runs/tiny/run", "--hours", "1", "--device", "cpu"]
    assert "checkpoint" in train(trainer, "detector", "train", *where, *options, "--max-steps", "2")
    checkpoint = (trainer.folder / "runs" / "tiny" / "run" / "last.pt").stat()
    assert checkpoint.st_size > 1_000_000 and checkpoint.st_uid != 0


@pytest.mark.slow
def test_what_the_trainers_container_publishes_is_served(trainer: ComposeStack) -> None:
    bundle = reversioned(trainer, "detector", "9.8")
    before = trainer.inspect("detector")
    said = train(trainer, "detector", "publish", "--bundle", f"runs/{bundle.name}")
    assert said.strip().endswith("@9.8")
    wait_until(lambda: serving(trainer, "detector") == {"9.8"}, "the published model serves", 120)
    assert made_by(trainer, "detector") == "9.8"
    after = trainer.inspect("detector")
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
