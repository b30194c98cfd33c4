"""Only consuming keeps a worker alive, and a hung stage gives its job back."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from pathlib import Path

import pytest

from services.common.bootstrap import Ports
from services.common.errors import Unavailable
from services.common.jobs import Job, JobStatus, new_job_id, now
from services.common.ports import WorkerRecord
from services.common.settings import Settings
from services.common.work.heartbeat import BEAT_EVERY_S, Heartbeat
from services.common.work.leases import Leases

MODELS = {"detector": {"version": "1"}}


def hearts(ports: Ports, settings: Settings, leases: Leases) -> Heartbeat:
    return Heartbeat("detector", "w", jobs=ports.jobs, queue=ports.queue, leases=leases, settings=settings)


def idle(ports: Ports) -> Leases:
    return Leases(ports.jobs, lease_s=1, stage_timeout_s=60)


def test_a_worker_that_gets_none_of_its_hints_has_gone_silent(ports: Ports, settings: Settings) -> None:
    heart = hearts(ports, settings.model_copy(update={"silent_after_s": 0.01}), idle(ports))
    assert heart.tick(), "the first hint may still come"
    time.sleep(0.02)
    assert not heart.tick()


def test_consuming_keeps_it_alive_and_touches_the_file(ports: Ports, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "beat"
    changed = settings.model_copy(update={"silent_after_s": 0.01, "heartbeat_file": file})
    heart = hearts(ports, changed, idle(ports))
    for _ in range(3):
        heart.consumed(MODELS)
        assert heart.tick()
    assert file.exists()


def test_a_queue_that_is_away_is_not_the_workers_silence(
    ports: Ports, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(_stage: str, _job_id: str) -> None:
        raise Unavailable("the queue does not answer")

    heart = hearts(ports, settings.model_copy(update={"silent_after_s": 0.01}), idle(ports))
    monkeypatch.setattr(ports.queue, "publish", publish)
    for _ in range(3):
        time.sleep(0.02)
        assert heart.tick()


def leased(ports: Ports, owner: str) -> str:
    job = Job(new_job_id(), "detection", JobStatus.QUEUED, "detector", {}, now())
    ports.jobs.insert(job, max_active=10)
    assert ports.jobs.claim(job.id, "detector", owner, lease_s=0.3)
    return job.id


def swept(ports: Ports, job_id: str) -> Job:
    ports.jobs.sweep(hint_after_s=0, max_alone=2, error={"code": "worker_lost", "detail": ""})
    return ports.jobs.get(job_id)


def test_a_held_lease_is_kept_alive(ports: Ports) -> None:
    job_id = leased(ports, "w/1")
    leases = Leases(ports.jobs, lease_s=0.3, stage_timeout_s=60)
    with leases.held(job_id, "w/1"):
        for _ in range(5):
            time.sleep(0.1)
            leases.renew_all()
        assert leases.within_time()
        assert swept(ports, job_id).lease_owner == "w/1"
    assert not leases.within_time()


def test_a_stage_that_takes_too_long_loses_its_lease(ports: Ports) -> None:
    job_id = leased(ports, "w/1")
    leases = Leases(ports.jobs, lease_s=0.3, stage_timeout_s=0.2)
    with leases.held(job_id, "w/1"):
        for _ in range(6):
            time.sleep(0.1)
            leases.renew_all()
        assert not leases.within_time(), "a hung stage does not keep the worker alive"
        assert leases.overdue()
        job = swept(ports, job_id)
    assert (job.status, job.attempts, job.lease_owner) == (JobStatus.QUEUED, 1, None)


def test_a_wait_for_a_turn_is_no_stage_that_takes_too_long(ports: Ports) -> None:
    job_id = leased(ports, "w/1")
    leases = Leases(ports.jobs, lease_s=0.3, stage_timeout_s=0.2)
    with leases.waiting(job_id, "w/1"):
        for _ in range(6):
            time.sleep(0.1)
            leases.renew_all()
        assert swept(ports, job_id).lease_owner == "w/1" and not leases.overdue()
        with leases.held(job_id, "w/1"):
            assert leases.within_time() and not leases.overdue()


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_worker_with_a_hung_stage_ends(ports: Ports, settings: Settings, cancelled: bool) -> None:
    job_id = leased(ports, "w/1")
    leases = Leases(ports.jobs, lease_s=0.3, stage_timeout_s=0.1)
    heart = hearts(ports, settings, leases)
    with leases.held(job_id, "w/1"):
        if cancelled:
            ports.jobs.cancel(job_id)
        leases.renew_all()
        heart.consumed(MODELS)
        assert heart.tick()
        time.sleep(0.15)
        heart.consumed(MODELS)
        assert not heart.tick(), "whatever else it consumes"
    assert heart.tick()


def test_only_a_heartbeat_unwritten_again_is_worth_a_warning(
    ports: Ports, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def beat(_worker: WorkerRecord) -> None:
        raise Unavailable("the database has no tables yet")

    heart = hearts(ports, settings, idle(ports))
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(ports.jobs, "beat", beat)
        heart.consumed({"detector": {"version": "1"}})
        heart.consumed({"detector": {"version": "2"}})
    heart.consumed({"detector": {"version": "3"}})
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]


def test_replicas_do_not_keep_step(ports: Ports, settings: Settings) -> None:
    """In step with each other, and with how long Redis is asked at a time, one takes every hint: others look dead."""
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return len(waits) == 200

    heart = hearts(ports, settings, idle(ports))
    heart.consumed(MODELS)
    heart.run(Stop())
    assert min(waits) < 0.75 * BEAT_EVERY_S and max(waits) > 1.25 * BEAT_EVERY_S
    assert statistics.mean(waits) == pytest.approx(BEAT_EVERY_S, rel=0.1)
