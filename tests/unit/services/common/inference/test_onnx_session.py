"""Which device a graph gets, by what ONNX Runtime offers and what it makes of it; and that the CPU is no secret."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.common.errors import DeviceUnavailable
from services.common.inference.onnx_session import (
    CPU,
    CUDA,
    CUDA_BATCH,
    Device,
    batch_size,
    check_cuda,
    filled,
    open_on_cuda,
    open_session,
    session_options,
)

GRAPH = Path("model.onnx")
FOR_GPUS = ("TensorrtExecutionProvider", CUDA, CPU)
FOR_CPUS = ("AzureExecutionProvider", CPU)


class MadeUpSession:
    def __init__(self, providers: Sequence[str]) -> None:
        self._providers = list(providers)

    def get_providers(self) -> list[str]:
        return self._providers


class MadeUpRuntime:
    """ONNX Runtime as another machine has it: `offered` providers, and what comes of asking for CUDA's: its session,
    an error, or (`silent`) a session of the CPU's."""

    def __init__(self, offered: Sequence[str], *, error: str = "", silent: bool = False) -> None:
        self._offered = list(offered)
        self._error = error
        self._silent = silent
        self.preloaded = False
        self.fallback: int | None = None

    def get_available_providers(self) -> list[str]:
        return self._offered

    def preload_dlls(self) -> None:
        self.preloaded = True

    def InferenceSession(  # noqa: N802 - ONNX Runtime's name
        self, path: str, options: object, *, providers: Sequence[Any], enable_fallback: int = 1
    ) -> MadeUpSession:
        names = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        if CUDA in names:
            assert self.preloaded, "CUDA's libraries are found only when they are loaded before"
            self.fallback = enable_fallback
            if self._error:
                raise RuntimeError(self._error)
            if self._silent:
                return MadeUpSession([CPU])
        return MadeUpSession(names)


def no_gpu() -> int:
    return 0


def one_gpu() -> int:
    return 1


@pytest.mark.parametrize(
    ("offered", "gpus", "device", "expected"),
    [
        (FOR_GPUS, one_gpu, "auto", [CUDA, CPU]),
        (FOR_GPUS, one_gpu, "cuda", [CUDA, CPU]),
        (FOR_GPUS, one_gpu, "cpu", [CPU]),
        (FOR_GPUS, no_gpu, "auto", [CPU]),
        (FOR_CPUS, one_gpu, "auto", [CPU]),
        (FOR_CPUS, no_gpu, "cpu", [CPU]),
    ],
)
def test_a_graph_runs_where_it_can(offered: Sequence[str], gpus: Any, device: Device, expected: list[str]) -> None:
    runtime = MadeUpRuntime(offered)
    assert open_session(GRAPH, None, device, runtime=runtime, gpus=gpus).get_providers() == expected
    assert runtime.fallback in (None, 0), "CUDA that fails in the middle of a run must not become the CPU"


@pytest.mark.parametrize(
    ("runtime", "gpus", "told"),
    [
        (MadeUpRuntime(FOR_CPUS), one_gpu, "computes on CPUs alone"),
        (MadeUpRuntime(FOR_GPUS), no_gpu, "shows no GPU"),
        (
            MadeUpRuntime(FOR_GPUS, error="cuda_call.cc:154 CUDA failure 35:\n driver too old"),
            one_gpu,
            "because CUDA failure 35: driver too old",
        ),
        (MadeUpRuntime(FOR_GPUS, silent=True), one_gpu, "cannot load it"),
    ],
)
def test_cuda_by_name_is_cuda_or_an_error_of_one_line(runtime: MadeUpRuntime, gpus: Any, told: str) -> None:
    with pytest.raises(DeviceUnavailable, match=told) as raised:
        open_session(GRAPH, None, "cuda", runtime=runtime, gpus=gpus)
    assert "\n" not in raised.value.detail
    assert open_session(GRAPH, None, "auto", runtime=runtime, gpus=gpus).get_providers() == [CPU]


def test_the_installed_runtime_is_asked_when_no_other_is_given() -> None:
    """It is the one for CPUs: the environments of this repository have no other."""
    with pytest.raises(DeviceUnavailable, match="CPUs alone"):
        check_cuda(gpus=one_gpu)
    with pytest.raises(DeviceUnavailable, match="CPUs alone"):
        open_on_cuda(GRAPH, None, gpus=one_gpu)


def test_threads_of_a_session_rest_between_its_runs() -> None:
    """Left to itself, ONNX Runtime keeps them spinning, and a worker with nothing to do takes a core from others."""
    graph = Path("services/verifier/model/model.onnx")
    session = open_session(graph, session_options(2), "cpu")
    face = np.zeros((1, 3, 132, 100), dtype=np.float32)
    burnt_s = []
    for _ in range(9):
        session.run(None, {session.get_inputs()[0].name: face})
        before_s = time.process_time()
        time.sleep(0.05)
        burnt_s.append(time.process_time() - before_s)
    assert statistics.median(burnt_s) < 0.02, "of 0.05 s each"


def test_a_batch_is_as_large_as_it_may_be_on_a_cpu() -> None:
    session, rows = MadeUpSession([CPU]), np.ones((3, 1), dtype=np.uint8)
    assert batch_size(session, 32) == 32
    assert filled(session, rows, 32) is rows


@pytest.mark.parametrize("most", [1, CUDA_BATCH, 32])
def test_batches_are_of_one_size_on_cuda(most: int) -> None:
    session = MadeUpSession([CUDA, CPU])
    size = batch_size(session, most)
    assert size == min(most, CUDA_BATCH)
    for count in (1, size):
        batch = filled(session, np.ones((count, 2), dtype=np.uint8), most)
        assert (batch.shape, batch.dtype) == ((size, 2), np.uint8)
        assert batch[:count].all() and not batch[count:].any()
