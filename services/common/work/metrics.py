"""What a worker counts, for Prometheus; served on `FACEKIT_METRICS_PORT` when that is set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class WorkerMetrics:
    """Its own registry, so that two workers in one test process do not share counters."""

    def __init__(self, stage: str) -> None:
        self.registry = CollectorRegistry()
        ended = Counter(
            "facekit_stages_ended", "Stages a worker ended, by outcome", ["stage", "outcome"], registry=self.registry
        )
        seconds = Histogram(
            "facekit_stage_seconds",
            "Time of a stage from claim to result",
            ["stage"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        model_seconds = Histogram(
            "facekit_model_seconds",
            "Time of a stage inside its model",
            ["stage"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._done = ended.labels(stage, "done")
        self._failed = ended.labels(stage, "failed")
        self._lost = ended.labels(stage, "lost")
        self._seconds = seconds.labels(stage)
        self._model_seconds = model_seconds.labels(stage)

    def done(self, stage_ms: float, model_ms: float) -> None:
        self._done.inc()
        self._seconds.observe(stage_ms / 1000)
        self._model_seconds.observe(model_ms / 1000)

    def failed(self) -> None:
        self._failed.inc()

    def lost(self) -> None:
        """The work was done but the lease was no longer this worker's."""
        self._lost.inc()

    def serve(self, port: int) -> None:
        start_http_server(port, registry=self.registry)
