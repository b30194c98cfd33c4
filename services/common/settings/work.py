"""What the models run on, and what a worker says about itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.common.settings.about import About
from services.common.settings.readers import LONG_RUNNING, WORKERS

MODELS, PROCESSES = "Models", "Processes"

# By default: each holds a photo, which may take 150 MB.
MOST_AT_ONCE = 4


def usable_cpus() -> int:
    """CPUs this process may run on, not those the host has."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


class Work(BaseModel):
    """For workers and their models; the level of logs is everybody's."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        About(
            MODELS,
            "What the models run on. `auto`: CUDA where the installed ONNX Runtime has it and there is a GPU, else the"
            " CPU. With `cuda` a worker without a GPU does not start; compose.gpu.yaml sets `cuda`.",
            (*WORKERS, "bench"),
        ),
    ] = "auto"
    threads: Annotated[
        int,
        About(
            MODELS,
            "How many threads one call of a model uses.",
            (*WORKERS, "bench"),
            default="CPUs this process may use",
        ),
    ] = Field(default_factory=usable_cpus, ge=1)
    concurrency: Annotated[
        int,
        About(
            MODELS,
            "How many jobs a worker holds at once. They share its one model and its threads.",
            (*WORKERS, "bench"),
            default=f"threads + 1, at most {MOST_AT_ONCE}",
        ),
    ] = Field(default_factory=lambda before: min(before["threads"], MOST_AT_ONCE - 1) + 1, ge=1)
    detector_engine: Annotated[
        Literal["auto", "onnxruntime", "openvino"],
        About(
            MODELS,
            "What runs the detector. `auto`: OpenVINO where the CPU computes in bfloat16, else ONNX Runtime; on a GPU"
            " always ONNX Runtime.",
            ("detector", "bench"),
        ),
    ] = "auto"
    analyzer_graphs: Annotated[
        Literal["bundled", "deepface"],
        About(
            MODELS,
            "Whose models the analyzer uses: ours, or DeepFace's own, a download of 1.6 GB. On this machine"
            " `python -m scripts.deployment.fetch_deepface_graphs` brings them, in the stack"
            " `docker compose run --rm graphs`.",
            ("analyzer",),
        ),
    ] = "bundled"
    deepface_home: Annotated[
        Path | None,
        About(
            MODELS,
            "The folder that holds `.deepface/weights/`, for DeepFace's own models.",
            ("analyzer", "graphs"),
            default="your home folder",
            accepts="the path of a folder",
            fixed="A volume holds them.",
        ),
    ] = None
    bundles: Annotated[
        Path | None,
        About(
            MODELS,
            "A folder with model bundles, `<task>/`, in place of the bundled ones of these tasks.",
            (*WORKERS, "bench"),
            default="the bundles in the source",
            accepts="the path of a folder",
            fixed="The images hold the bundles. Another one is published to the registry.",
        ),
    ] = None
    follow_registry: Annotated[
        bool,
        About(
            MODELS,
            "Whether workers change to a newly published model while they run.",
            WORKERS,
            stack_default="true",
        ),
    ] = False
    registry_poll_s: Annotated[
        float,
        About(MODELS, "The time between two looks for a newly published model.", WORKERS, unit="seconds"),
    ] = Field(default=5.0, gt=0)

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        About(PROCESSES, "What is logged: this level and above. A line of a log is one JSON object.", LONG_RUNNING),
    ] = "INFO"
    metrics_port: Annotated[
        int,
        About(
            PROCESSES,
            "The port where a worker answers Prometheus. 0: none. On one machine only one worker can have it; in the"
            " stack all can, inside the back network.",
            WORKERS,
        ),
    ] = Field(default=0, ge=0, le=65535)
    silent_after_s: Annotated[
        float,
        About(
            PROCESSES,
            "A worker that took nothing off the queue for this time ends itself and is started again. On a quiet system"
            " it sends messages to itself, so only a worker that is stuck ends.",
            WORKERS,
            unit="seconds",
        ),
    ] = Field(default=60.0, gt=0)
    heartbeat_file: Annotated[
        Path | None,
        About(
            PROCESSES,
            "A file that a worker touches whenever it takes something off the queue.",
            WORKERS,
            default="none; `make run` and the images set it",
            accepts="the path of a file",
            fixed="The image sets it, and its health check looks at the file.",
        ),
    ] = None
    worker_name: Annotated[
        str,
        About(
            PROCESSES,
            "The name of a worker. No two may share one.",
            WORKERS,
            default="stage, host and process id",
            fixed="Every container would get the same name.",
        ),
    ] = ""
