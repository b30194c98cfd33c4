"""What runs a bundle's graph, and which of it suits this machine.

ONNX Runtime computes in 32-bit floats, on a GPU and on any CPU. OpenVINO computes in bfloat16 where the CPU has
instructions for it (AVX512-BF16, AMX), in about half the time; without them it is no faster, so it is not chosen there.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.errors import DeviceUnavailable
from services.common.inference.bundle import Bundle
from services.common.inference.onnx_session import Device, open_session, session_options
from services.detector.detections import Floats

EngineName = Literal["auto", "onnxruntime", "openvino"]

OUTPUTS: Final = ("scores", "distances", "landmarks")
# bfloat16 keeps eight bits of a number. So far may the outputs of a golden case move because of it: pixels of its small
# picture, and confidence.
BFLOAT16_SLACK: Final = {"boxes_xyxy": 2.0, "landmarks_xy": 2.0, "confidence": 0.03}

# picture (H, W, 3) uint8 RGB, sides multiples of 32 -> scores (1, 1, A) 0..1, distances (1, 64, A),
# landmarks (1, 15, A). The arrays are the engine's own: read them before the same thread calls again.
Graph = Callable[[NDArray[np.uint8]], tuple[Floats, Floats, Floats]]


class LoneOrSideBySide:
    """A photo that is alone takes all threads, so that its user waits least. Photos that are there at the same time
    take a share of the threads each: threads that work on one photo together often wait for each other, and that is
    waste."""

    def __init__(self, wide: Graph, narrow: Graph) -> None:
        self._wide, self._narrow = wide, narrow
        self._at_work: set[int] = set()
        self._changing = threading.Lock()

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        with self.photo():
            graph = self._wide if len(self._at_work) == 1 else self._narrow
            return graph(picture)

    @contextmanager
    def photo(self) -> Iterator[None]:
        """Says that this thread works on a photo, from its preparation to its last look. May be nested."""
        thread = threading.get_ident()
        with self._changing:
            outermost = thread not in self._at_work
            self._at_work.add(thread)
        try:
            yield
        finally:
            if outermost:
                with self._changing:
                    self._at_work.remove(thread)


class OneForEachShape:
    """Keeps one graph for each of the last few picture sizes. A session on CUDA plans its convolutions anew whenever
    the size changes (see `CUDA_BATCH`), and sizes change often: photos are upright or across, and are looked at in
    several scales."""

    KEPT: Final = 8

    def __init__(self, open_graph: Callable[[], Graph]) -> None:
        self._open = open_graph
        self._spare: Graph | None = open_graph()  # at once, so that a machine without CUDA is known
        self._graphs: OrderedDict[tuple[int, ...], Graph] = OrderedDict()
        self._changing = threading.Lock()

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        with self._changing:
            graph = self._graphs.pop(picture.shape, None) or self._spare or self._open()
            self._spare = None
            self._graphs[picture.shape] = graph  # the last one now
            if len(self._graphs) > self.KEPT:
                self._graphs.popitem(last=False)
        return graph(picture)


@dataclass(frozen=True, slots=True)
class Engine:
    """A graph ready to run, safe to call from several threads.

    `slack` is how far beyond its tolerance an output of a golden case may differ because of the engine's arithmetic.
    `photo` is held by a thread for as long as it works on one, so that the engine knows what else is coming.
    """

    name: str
    run: Graph
    slack: Mapping[str, float] = field(default_factory=dict)
    photo: Callable[[], AbstractContextManager[None]] = nullcontext


def engines(
    bundle: Bundle,
    threads: int,
    name: EngineName = "auto",
    *,
    device: Device = "cpu",
    at_once: int | None = None,
    bfloat16: bool | None = None,
) -> Iterator[Engine]:
    """Engines for this machine, the fastest first. With a `name`, that engine alone. On `cuda`, none for the CPU.

    `at_once` is how many photos may be worked on side by side, by default as many as there are threads. `bfloat16` says
    whether the CPU computes in it; by default OpenVINO, where it is installed, is asked. Raises ModuleNotFoundError for
    OpenVINO by name where it is not, DeviceUnavailable for `cuda` where there is none.
    """
    if name == "openvino" and device == "cuda":
        raise DeviceUnavailable("no CUDA, because FACEKIT_DETECTOR_ENGINE names OpenVINO, which is for CPUs here")
    if name != "openvino" and device != "cpu":
        try:
            on_cuda = cuda_engine(bundle, threads)
        except DeviceUnavailable:
            if device == "cuda":
                raise
        else:
            yield on_cuda
    if device == "cuda":
        return
    if bfloat16 is None:
        bfloat16 = name != "onnxruntime" and _computes_in_bfloat16()
    if name == "openvino" or (name == "auto" and bfloat16):
        yield openvino_engine(bundle, threads, at_once, bfloat16=bfloat16)
    if name != "openvino":
        yield onnx_engine(bundle, threads, at_once)


def cuda_engine(bundle: Bundle, threads: int) -> Engine:
    """Raises DeviceUnavailable where there is no CUDA."""
    return Engine("ONNX Runtime, CUDA", OneForEachShape(lambda: _onnx_graph(bundle.onnx_path, threads, "cuda")))


def onnx_engine(bundle: Bundle, threads: int, at_once: int | None = None) -> Engine:
    wide, share = _onnx_graph(bundle.onnx_path, threads), _share(threads, at_once)
    narrow = _onnx_graph(bundle.onnx_path, share) if share < threads else wide
    run = LoneOrSideBySide(wide, narrow)
    return Engine("ONNX Runtime, float32", run, photo=run.photo)


def openvino_engine(bundle: Bundle, threads: int, at_once: int | None = None, *, bfloat16: bool) -> Engine:
    precision = "bf16" if bfloat16 else "f32"
    wide, streams = (
        _openvino_graph(bundle.onnx_path, precision, threads, streams=1),
        threads // _share(threads, at_once),
    )
    narrow = _openvino_graph(bundle.onnx_path, precision, threads, streams=streams) if streams > 1 else wide
    run = LoneOrSideBySide(wide, narrow)
    if bfloat16:
        return Engine("OpenVINO, bfloat16", run, BFLOAT16_SLACK, photo=run.photo)
    return Engine("OpenVINO, float32", run, photo=run.photo)


def _share(threads: int, at_once: int | None) -> int:
    """Threads of each photo when as many as that are side by side."""
    return max(threads // (at_once or threads), 1)


def _onnx_graph(path: Path, threads: int, device: Device = "cpu") -> Graph:
    session = open_session(path, session_options(threads), device)

    def run(picture: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        blob = cv2.dnn.blobFromImage(picture, scalefactor=1 / 255)  # (1, 3, H, W) 0..1
        scores, distances, landmarks = session.run(list(OUTPUTS), {"image": blob})
        return scores, distances, landmarks

    return run


def _openvino_graph(path: Path, precision: str, threads: int, streams: int) -> Graph:
    """Up to `streams` calls run at once and share the `threads`. Scaling and layout of the picture become part of the
    graph, so that no copy of the picture in floats is made."""
    openvino = _import_openvino()
    from openvino.preprocess import PrePostProcessor

    core = openvino.Core()
    wrapped = PrePostProcessor(core.read_model(path))
    wrapped.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    wrapped.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    wrapped.input().model().set_layout(openvino.Layout("NCHW"))
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,  # other workers share these cores, and would be pinned to the same ones
    }
    compiled = core.compile_model(wrapped.build(), "CPU", settings)
    of_this_thread = threading.local()

    def run(picture: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        request: Any = getattr(of_this_thread, "request", None)
        if request is None:
            request = of_this_thread.request = compiled.create_infer_request()
        answer = request.infer({0: picture[None]}, share_inputs=True, share_outputs=True)
        scores, distances, landmarks = (answer[name] for name in OUTPUTS)
        return scores, distances, landmarks

    return run


def _computes_in_bfloat16() -> bool:
    """Whether OpenVINO is here and this CPU multiplies bfloat16 by instructions of its own."""
    if importlib.util.find_spec("openvino") is None:
        return False
    return "BF16" in _import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _import_openvino() -> Any:
    """OpenVINO, without its report. Where it can import `openvino_telemetry`, it tells its makers over the network that
    it was imported. `make constraints` leaves that package out, but other ways to install facekit bring it."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # importing it now raises ImportError
    import openvino

    return openvino
