"""Every setting, read from `FACEKIT_*` variables when `Settings()` is called and never at import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# By default: each holds a photo, which may take 150 MB.
MOST_AT_ONCE = 4
MODEL_STAGES = ("detector", "analyzer", "verifier")


def usable_cpus() -> int:
    """CPUs this process may run on, not those the host has."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """The embedded defaults; the containers set other URLs and nothing else changes."""

    model_config = SettingsConfigDict(env_prefix="FACEKIT_", extra="ignore", frozen=True)

    home: Path = Field(default=Path(".facekit"), description="state folder of the embedded system")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    frontend: Path | None = Field(default=None, description="folder the gateway serves as the page; none in the stack")

    database_url: str = ""
    store_url: str = Field(default="", description="file:///folder, or s3://bucket with the s3_* settings")
    broker_url: str = Field(default="", description="filesystem:///folder or redis://host/0")
    s3_endpoint: str = Field(default="minio:9000", description="host:port")
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    s3_region: str = "us-east-1"
    s3_secure: bool = False

    max_upload_bytes: int = Field(default=20_000_000, gt=0, description="per photo")
    max_pixels: int = Field(default=64_000_000, gt=0, description="per photo, checked before decoding")
    max_queued: int = Field(default=1000, gt=0, description="unfinished jobs accepted before queue_full")
    max_wait_s: float = Field(default=60.0, gt=0, description="longest ?wait= of GET /v1/jobs/{id}")
    api_keys: str = Field(default="", description="name:role:key, comma separated; empty switches keys off")
    rate_limit_per_minute: int = Field(default=0, ge=0, description="submissions per client; 0 is no limit")

    lease_s: float = Field(default=30.0, gt=0, description="a worker that does not renew for this long is lost")
    stage_timeout_s: float = Field(default=300.0, gt=0, description="a stage that takes longer loses its lease")
    sweep_interval_s: float = Field(default=2.0, gt=0)
    hint_after_s: float = Field(default=5.0, gt=0, description="unclaimed for this long: publish again")
    max_attempts: int = Field(default=3, ge=1)
    retention_days: float = Field(default=30.0, ge=0, description="finished jobs older than this go; 0 keeps all")

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="what models run on; auto: CUDA where ONNX Runtime has it and a GPU is there"
    )
    threads: int = Field(default_factory=usable_cpus, ge=1, description="of one model call")
    concurrency: int = Field(
        default_factory=lambda before: min(before["threads"], MOST_AT_ONCE - 1) + 1,
        ge=1,
        description="jobs a worker holds at once around its one model; one more than threads, so that none waits",
    )
    bundles: Path | None = Field(default=None, description="folder with <task>/ bundles instead of the bundled ones")
    follow_registry: bool = Field(default=False, description="swap to models/<task>/current as it moves")
    registry_poll_s: float = Field(default=5.0, gt=0)
    detector_engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        default="auto", description="auto: ONNX Runtime on CUDA, else OpenVINO where the CPU computes in bfloat16"
    )
    analyzer_graphs: Literal["bundled", "deepface"] = "bundled"
    deepface_home: Path | None = None
    heartbeat_file: Path | None = Field(default=None, description="touched whenever the worker consumes a message")
    silent_after_s: float = Field(
        default=60.0, gt=0, description="a worker that consumed nothing for so long ends itself"
    )
    worker_name: str = Field(default="", description="unique name of this worker; host and pid when empty")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_port: int = Field(default=0, ge=0, description="Prometheus port of a worker; 0 is none")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: dict[str, object]) -> dict[str, object]:
        """An empty variable, as compose writes an unset one, means the default."""
        return {name: value for name, value in values.items() if value != ""}

    @property
    def state(self) -> Path:
        return self.home.absolute()

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state / 'facekit.db'}"

    @property
    def effective_store_url(self) -> str:
        return self.store_url or f"file://{self.state / 'objects'}"

    @property
    def effective_broker_url(self) -> str:
        return self.broker_url or f"filesystem://{self.state / 'queue'}"
