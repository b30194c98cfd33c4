"""ONNX Runtime's session for a graph, on the device asked for: a GPU of NVIDIA's by CUDA, or the CPU.

ONNX Runtime itself goes on with the CPU where CUDA does not come up, at the start and in the middle of a run. Here it
does so for `auto` alone, and only at the start.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.common.errors import DeviceUnavailable

Device = Literal["auto", "cpu", "cuda"]

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
# No TF32: golden answers were computed with 32-bit floats, and TF32 keeps fewer bits. No exhaustive search for the
# fastest convolutions: it would start again with each new photo size. Memory is taken as needed, not doubled: several
# sessions may share a GPU.
CUDA_OPTIONS: Final = {
    "use_tf32": "0",
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
}
# On CUDA, convolutions are planned anew when the input has another shape than before. That takes 90 ms for a network
# whose run takes 2 ms (ONNX Runtime's issue 23006). So all batches on CUDA have this one size, and the last one is
# filled up.
CUDA_BATCH: Final = 8
# A thread that has done its part of an operator looks for the next one for this long, and then it sleeps. To wake a
# thread takes longer than most operators of a small graph. But other workers need the cores, so it is not longer than
# this, and never between runs.
SPIN_US: Final = 100

log = logging.getLogger(__name__)


def session_options(threads: int) -> Any:
    """`onnxruntime.SessionOptions` for so many threads that share a machine with other processes."""
    options = _installed().SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_US))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def visible_gpus() -> int:
    """GPUs that NVIDIA's driver offers this process; none where there is no driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def check_cuda(*, runtime: Any = None, gpus: Callable[[], int] = visible_gpus) -> None:
    """Raises DeviceUnavailable where the installed ONNX Runtime (`runtime`: another one) has no CUDA or sees no GPU."""
    if CUDA not in (runtime or _installed()).get_available_providers():
        raise DeviceUnavailable("no CUDA, because the installed ONNX Runtime computes on CPUs alone")
    if not gpus():
        raise DeviceUnavailable("no CUDA, because NVIDIA's driver shows no GPU to this process")


def open_on_cuda(graph: Path, options: Any, *, runtime: Any = None, gpus: Callable[[], int] = visible_gpus) -> Any:
    """The graph's session on the first GPU. Raises DeviceUnavailable where it would not compute there."""
    runtime = runtime or _installed()
    check_cuda(runtime=runtime, gpus=gpus)
    runtime.preload_dlls()  # CUDA's and cuDNN's libraries are wheels beside it, where no loader looks
    providers = [(CUDA, CUDA_OPTIONS), CPU]
    try:
        session = runtime.InferenceSession(str(graph), options, providers=providers, enable_fallback=0)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        told = told[max(told.find("CUDA failure"), 0) :]  # before it, where in ONNX Runtime's source it was noticed
        raise DeviceUnavailable(f"no CUDA, because {told}") from error
    if CUDA not in session.get_providers():
        raise DeviceUnavailable("no CUDA, because ONNX Runtime cannot load it: it says why above")
    return session


def batch_size(session: Any, most: int) -> int:
    """How many rows an `onnxruntime.InferenceSession` is to be given at once, where `most` are allowed."""
    return min(most, CUDA_BATCH) if CUDA in session.get_providers() else most


def filled(session: Any, rows: NDArray[Any], most: int) -> NDArray[Any]:
    """Rows (N, ...), N up to `batch_size`, as the session is to be given them: on CUDA filled up with zeros, since
    every batch there is of that size. The first N answers are theirs."""
    missing = batch_size(session, most) - len(rows)
    if CUDA not in session.get_providers() or missing <= 0:
        return rows
    return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])


def open_session(
    graph: Path, options: Any, device: Device, *, runtime: Any = None, gpus: Callable[[], int] = visible_gpus
) -> Any:
    """The graph's session (`onnxruntime.InferenceSession`) with `onnxruntime.SessionOptions`; on `auto`, CUDA's where
    it can be had. Raises DeviceUnavailable for `cuda` where it cannot."""
    runtime = runtime or _installed()
    if device != "cpu":
        try:
            return open_on_cuda(graph, options, runtime=runtime, gpus=gpus)
        except DeviceUnavailable as error:
            if device == "cuda":
                raise
            log.debug("on the CPU: %s", error.detail)
    return runtime.InferenceSession(str(graph), options, providers=[CPU])


def _installed() -> Any:
    """Imported when it is first needed: a worker's modules load without it."""
    return importlib.import_module("onnxruntime")
