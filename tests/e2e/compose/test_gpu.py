"""A worker's image for GPUs, on an engine that has none: CUDA's libraries are whole in it but for the driver, it does
not take the CPU for a GPU, and on the CPU it answers as any other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.compose.compose_stack import ComposeStack

FREE_BYTES = 12e9  # the image is 3 GB, and pip keeps what it brought while it is built
BUILD_S = 1800.0

WHAT_IS_MISSING = """
import ctypes, onnxruntime
from pathlib import Path
assert "CUDAExecutionProvider" in onnxruntime.get_available_providers()
onnxruntime.preload_dlls()
try:
    ctypes.CDLL(str(Path(onnxruntime.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"))
except OSError as error:
    print(error)
"""
REPLAY = """
from services.common.inference.bundle import load_bundle
from services.common.settings import Settings
from services.verifier.stage import VerifierStage
stage = VerifierStage()
print(stage.build({task: load_bundle(folder) for task, folder in stage.bundle_folders.items()}, Settings()).label)
"""


@pytest.fixture(scope="module")
def image(stack: ComposeStack) -> Iterator[str]:
    """The verifier's, which goes again."""
    stack.skip_without_disk(FREE_BYTES, "an image for GPUs")
    stack.compose("-f", "compose.yaml", "-f", "compose.gpu.yaml", "build", "verifier", timeout_s=BUILD_S)
    yield "facekit/verifier-gpu:test"
    stack.done("docker", "image", "rm", "facekit/verifier-gpu:test")


def within(image: str, *command: str, device: str = "") -> list[str]:
    settings = ["--env", f"FACEKIT_DEVICE={device}", "--env", "FACEKIT_HOME=/tmp/facekit"]
    return ["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", *settings, image, *command]


@pytest.mark.slow
def test_of_cuda_only_the_driver_is_missing(stack: ComposeStack, image: str) -> None:
    """libcuda.so.1 is the host's driver, which the engine lends to a container that reserves a GPU."""
    missing = stack.done(*within(image, "python", "-c", WHAT_IS_MISSING))
    assert missing.startswith("libcuda.so.1: cannot open shared object file"), missing


@pytest.mark.slow
def test_without_a_gpu_it_says_so_in_one_line(stack: ComposeStack, image: str) -> None:
    ended = stack.run(*within(image, device="cuda"))
    assert ended.returncode == 1
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert "shows no GPU" in json.loads(line)["message"]


@pytest.mark.slow
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_on_the_cpu_it_gives_its_golden_answers(stack: ComposeStack, image: str, device: str) -> None:
    assert stack.done(*within(image, "python", "-c", REPLAY, device=device)).startswith("facekit-siamese@")
