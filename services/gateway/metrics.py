"""What the gateway counts, for Prometheus: its own registry, so that two gateways in one process stay apart."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.common.errors import FacekitError
from services.common.ports import JobStore

log = logging.getLogger(__name__)

LATENCY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TOTALS_AGE_S: Final = 15.0


class GatewayMetrics:
    """`facekit_...` metrics of one gateway; jobs and queue are read from the database when Prometheus asks."""

    def __init__(self, jobs: JobStore) -> None:
        self.registry = CollectorRegistry()
        self.submissions = Counter(
            "facekit_submissions",
            "Submissions by kind and outcome: accepted, replayed or the problem's code",
            ("kind", "outcome"),
            registry=self.registry,
        )
        self.uploaded_bytes = Counter(
            "facekit_uploaded_bytes", "Bytes of accepted photos", ("kind",), registry=self.registry
        )
        self.image_bytes = Counter("facekit_image_bytes", "Bytes of images sent to clients", registry=self.registry)
        self.requests = Histogram(
            "facekit_request_seconds",
            "Time to answer by route, method and status; long-polls include their wait",
            ("route", "method", "status"),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.republished = Counter(
            "facekit_hints_republished", "Hints the sweeper sent again", ("stage",), registry=self.registry
        )
        self.lost_leases = Counter(
            "facekit_lost_leases",
            "Jobs whose worker was lost: requeued, or quarantined because it was alone in its worker each time",
            ("outcome",),
            registry=self.registry,
        )
        self.waiting = Gauge("facekit_waiting_clients", "Long-polls held right now", registry=self.registry)
        self.registry.register(_JobTable(jobs))

    def exposition(self) -> bytes:
        """The text format. Blocks on the database."""
        return generate_latest(self.registry)


class _JobTable(Collector):
    """Gauges over the jobs table, the same whichever gateway is asked."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._totals: dict[tuple[str, str], int] = {}
        self._totals_at = float("-inf")

    def describe(self) -> Iterable[Metric]:
        return ()  # so that registering asks the database nothing

    def collect(self) -> Iterable[Metric]:
        depth = GaugeMetricFamily(
            "facekit_queue_depth", "Unfinished jobs by stage and status", labels=("stage", "status")
        )
        table = GaugeMetricFamily("facekit_jobs", "Jobs in the table by kind and status", labels=("kind", "status"))
        up = GaugeMetricFamily("facekit_database_up", "1 when the jobs table could be read")
        try:
            for (status, stage), count in self._jobs.counts().items():
                depth.add_metric((stage, status), count)
            for (kind, status), count in self._all_totals().items():
                table.add_metric((kind, status), count)
            up.add_metric((), 1)
        except FacekitError as error:
            log.warning("metrics without the jobs table: %s", error.detail)
            up.add_metric((), 0)
        return depth, table, up

    def _all_totals(self) -> dict[tuple[str, str], int]:
        """Counting visits every row, so several scrapes share one count."""
        if time.monotonic() - self._totals_at > TOTALS_AGE_S:
            self._totals, self._totals_at = self._jobs.totals(), time.monotonic()
        return self._totals
