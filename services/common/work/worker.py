"""The loop every model service runs: claim, work, save, hand on; with leases, retries, heartbeats and model swaps."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Generic

from services.common.errors import FacekitError, InternalError, Unavailable
from services.common.gate import Gate
from services.common.inference.onnx_session import visible_gpus
from services.common.jobs import TERMINAL, Job, object_prefix
from services.common.photos.memory import limit_growth
from services.common.ports import JobQueue, JobStore, ObjectStore
from services.common.settings import Settings
from services.common.work.heartbeat import Heartbeat
from services.common.work.job_files import JobFiles
from services.common.work.job_step import JobStep
from services.common.work.leases import Leases
from services.common.work.metrics import WorkerMetrics
from services.common.work.model_slot import ModelSlot
from services.common.work.stage import Model, Stage

log = logging.getLogger(__name__)

RETRY_DELAY_S = 1.0
OTHER_THREADS = 16  # leases, heartbeat, registry, metrics, clients of servers


class Worker(Generic[Model]):
    """One process, one stage, one model. `handle` may run on several threads around that model."""

    def __init__(
        self, stage: Stage[Model], *, store: ObjectStore, jobs: JobStore, queue: JobQueue, settings: Settings
    ) -> None:
        self._stage = stage
        self._stage_name = stage.spec.name
        self._store = store
        self._jobs = jobs
        self._queue = queue
        self._settings = settings
        self.name = settings.worker_name or f"{stage.spec.name}-{socket.gethostname()}-{os.getpid()}"
        self._metrics = WorkerMetrics(stage.spec.name)
        self._slot = ModelSlot(stage, store, settings)
        self._claims = itertools.count()
        self._gate = Gate()
        self._leases = Leases(jobs, lease_s=settings.lease_s, stage_timeout_s=settings.stage_timeout_s)
        self._heartbeat = Heartbeat(
            stage.spec.name, self.name, jobs=jobs, queue=queue, leases=self._leases, settings=settings
        )

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT; finishes the jobs it holds first."""
        if self._settings.metrics_port:
            self._metrics.serve(self._settings.metrics_port)
        stop = threading.Event()
        for target in (self._leases.run, self._run_heartbeat, self._follow_registry):
            threading.Thread(target=target, args=(stop,), daemon=True).start()
        log.info("%s serves with %s", self.name, ", ".join(self._labels().values()))
        try:
            self._queue.consume(self._stage_name, self.handle, concurrency=self._settings.concurrency)
        finally:
            stop.set()

    def handle(self, job_id: str) -> None:
        """Takes one hint; an empty one is this worker's own question whether it still consumes. Never raises."""
        self._heartbeat.consumed(self._slot.current.views)
        if not job_id:
            return
        owner = f"{self.name}/{next(self._claims)}"
        # Nothing is claimed while another job is alone here: it would share the loss of a worker it had no part in.
        with self._gate.beside():
            job = self._claim(job_id, owner)
            if job is None:
                return
            if not job.suspicion:
                with self._leases.held(job.id, owner):
                    self._work(job, owner)
                return
        with self._leases.waiting(job.id, owner), self._gate.alone():
            if self._isolate(job, owner):
                with self._leases.held(job.id, owner):
                    self._work(job, owner)

    def _claim(self, job_id: str, owner: str) -> Job | None:
        try:
            return self._jobs.claim(job_id, self._stage_name, owner, self._settings.lease_s)
        except FacekitError as error:
            log.warning("claim failed, the sweeper will ask again: %s", error.detail, extra={"job_id": job_id})
            return None

    def _isolate(self, job: Job, owner: str) -> bool:
        """Whether a job that waited until nothing else runs here may still run."""
        try:
            return self._jobs.isolate(job.id, owner, self._settings.lease_s)
        except FacekitError as error:
            log.warning("not run, its lease will run out: %s", error.detail, extra={"job_id": job.id})
            return False

    def _work(self, job: Job, owner: str) -> None:
        started = time.perf_counter()
        files = JobFiles(self._store, job.id)
        try:
            loaded = self._slot.current
            step = JobStep(job, self._stage.spec)
            outcome = self._stage.run(loaded.model, step.asked, files)
            result = step.result(outcome.given)
        except FacekitError as error:
            self._give_up(job, owner, error, started)
            self._leave_nothing_of_an_ended_job(files)
            return
        except Exception:
            log.exception("stage failed", extra={"job_id": job.id})
            unknown = InternalError("The worker failed on this job; its log says why.")
            self._give_up(job, owner, unknown, started, retry=True)
            self._leave_nothing_of_an_ended_job(files)
            return
        timings = {
            self._stage_name: _elapsed_ms(started),
            f"{self._stage_name}_model": round(outcome.model_ms, 1),
            **outcome.timings_ms,
        }
        if not self._save(job, owner, step.next_stage, result, outcome.models, timings):
            self._metrics.lost()
            self._leave_nothing_of_an_ended_job(files)
            return
        if step.next_stage is not None:
            self._hint(step.next_stage, job.id)
        elif step.has_others:
            self._drop_chips(files)
        self._metrics.done(timings[self._stage_name], outcome.model_ms)
        log.info("%s done in %.0f ms", self._stage_name, timings[self._stage_name], extra={"job_id": job.id})

    def _save(
        self,
        job: Job,
        owner: str,
        next_stage: str | None,
        result: Mapping[str, Any],
        models: Mapping[str, str],
        timings_ms: Mapping[str, float],
    ) -> bool:
        """Commits the stage, trying for a lease's time while the database is away; False when it was not to be."""
        deadline = time.monotonic() + self._settings.lease_s
        while True:
            try:
                kept = self._jobs.finish_stage(
                    job.id,
                    owner,
                    next_stage=next_stage,
                    result=result,
                    timings_ms=timings_ms,
                    models=models,
                )
            except Unavailable as error:
                if time.monotonic() > deadline:
                    log.error("result not saved, the job will run again: %s", error.detail, extra={"job_id": job.id})
                    return False
                time.sleep(RETRY_DELAY_S)
                continue
            if not kept:
                log.warning("lease was lost before the result was saved", extra={"job_id": job.id})
            return kept

    def _hint(self, stage: str, job_id: str) -> None:
        try:
            self._queue.publish(stage, job_id)
        except Unavailable as error:
            log.warning("hint not sent, the sweeper will: %s", error.detail, extra={"job_id": job_id})

    def _give_up(self, job: Job, owner: str, error: FacekitError, started: float, *, retry: bool = False) -> None:
        """Ends the job with the error's code, or gives the stage back when another try can help."""
        self._metrics.failed()
        problem = {"code": error.code, "detail": error.detail}
        try:
            if retry or error.retryable:
                delay_s = RETRY_DELAY_S * 2 ** (job.attempts - 1)
                self._jobs.release(
                    job.id, owner, delay_s=delay_s, max_attempts=self._settings.max_attempts, error=problem
                )
            else:
                self._jobs.fail(job.id, owner, problem, {self._stage_name: _elapsed_ms(started)})
        except FacekitError as unsaved:
            log.warning("failure not saved, the lease will run out: %s", unsaved.detail, extra={"job_id": job.id})
        log.warning("%s: %s", error.code, error.detail, extra={"job_id": job.id})

    def _leave_nothing_of_an_ended_job(self, files: JobFiles) -> None:
        """After work that came to nothing: removes the chips of a job that has ended, and whatever this worker wrote
        after the sweeper had removed a deleted job's photos and row; it waits for a lease's time only."""
        try:
            if not self._jobs.existing([files.job_id]):
                self._store.delete_prefix(object_prefix(files.job_id))
            elif self._jobs.get(files.job_id).status in TERMINAL:
                files.drop_chips()
        except FacekitError as error:
            log.warning("left to the sweeper: %s", error.detail, extra={"job_id": files.job_id})

    def _drop_chips(self, files: JobFiles) -> None:
        try:
            files.drop_chips()
        except FacekitError as error:
            log.warning("chips not dropped: %s", error.detail, extra={"job_id": files.job_id})

    def _labels(self) -> dict[str, str]:
        return {task: bundle.meta.label for task, bundle in self._slot.current.bundles.items()}

    def _run_heartbeat(self, stop: threading.Event) -> None:
        self._heartbeat.run(stop)

    def _follow_registry(self, stop: threading.Event) -> None:
        while self._settings.follow_registry and not stop.wait(self._settings.registry_poll_s):
            self._slot.refresh()


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def serve(stage: Stage[Any], settings: Settings) -> None:
    """Entry point of a worker process: logs, ports, model, loop. Ends with 1 and one line for what an operator can
    mend: a URL, a bundle, a server that does not answer."""
    from services.common.bootstrap import build
    from services.common.logs import configure_logs

    configure_logs(stage.spec.name, settings.log_level)
    try:
        ports = build(settings)
        try:
            worker = Worker(stage, store=ports.store, jobs=ports.jobs, queue=ports.queue, settings=settings)
            # The driver of a GPU reserves far more than it takes: there, the checks of size stand alone.
            if stage.photos_a_job and (settings.device == "cpu" or not visible_gpus()):
                at_once = stage.photos_a_job * settings.concurrency
                limit_growth(settings.max_pixels, photos_at_once=at_once, threads=at_once + OTHER_THREADS)
            worker.run()
        finally:
            ports.close()
    except FacekitError as error:
        log.error("%s: %s", error.title, error.detail)
        raise SystemExit(1) from None
