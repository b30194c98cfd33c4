"""The sweeper makes good what processes that die leave behind."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest

from services.common.errors import Unavailable
from services.common.jobs import JobStatus, new_job_id, now
from services.common.ports import JobStore, Swept
from services.gateway.sweeper import Sweeper
from tests.unit.services.gateway.conftest import Api, Start


def sweeper(api: Api, **changes: Any) -> Sweeper:
    gateway = api.gateway
    settings = gateway.settings.model_copy(update=changes)
    return Sweeper(gateway.store, gateway.jobs, gateway.queue, settings, gateway.metrics)


def id_of_age(age_s: float) -> str:
    milliseconds = int((time.time() - age_s) * 1000)
    return str(uuid.UUID(int=milliseconds << 80 | uuid.UUID(new_job_id()).int & (1 << 80) - 1))


def republished(api: Api) -> float:
    return api.gateway.metrics.registry.get_sample_value("facekit_hints_republished_total", {"stage": "detector"}) or 0


def test_a_job_whose_hint_was_lost_is_hinted_again(api: Api) -> None:
    api.accepted()
    sweep = sweeper(api, hint_after_s=1)
    time.sleep(1.1)
    sweep.sweep()
    assert republished(api) == 1
    sweep.sweep()
    assert republished(api) == 1  # once in hint_after_s, not at every sweep


def test_a_job_with_a_worker_is_left_alone(api: Api) -> None:
    job_id = api.accepted()
    assert api.gateway.jobs.claim(job_id, "detector", "w", 30)
    sweeper(api, hint_after_s=0).sweep()
    assert republished(api) == 0


@pytest.mark.parametrize(("max_attempts", "deaths", "times"), [(1, 1, "once"), (3, 2, "twice")])
def test_a_job_whose_workers_die_while_it_is_alone_is_quarantined(
    api: Api, caplog: pytest.LogCaptureFixture, max_attempts: int, deaths: int, times: str
) -> None:
    job_id = api.accepted()
    jobs, sweep = api.gateway.jobs, sweeper(api, max_attempts=max_attempts)
    for alone in (False, *[True] * deaths):
        assert jobs.get(job_id).status is JobStatus.QUEUED
        assert jobs.claim(job_id, "detector", "w", 0.01)
        assert not alone or jobs.isolate(job_id, "w", 0.01)
        time.sleep(0.05)
        sweep.sweep()
    job = jobs.get(job_id)
    assert (job.status, job.attempts) == (JobStatus.FAILED, deaths)
    assert job.error == {"code": "worker_lost", "detail": f"Its worker died {times} while this job was alone in it."}
    assert "quarantined" in caplog.text
    counted = api.gateway.metrics.registry.get_sample_value
    assert counted("facekit_lost_leases_total", {"outcome": "quarantined"}) == 1
    assert counted("facekit_lost_leases_total", {"outcome": "requeued"}) == deaths


def test_a_deleted_job_is_purged_when_no_worker_can_be_writing(api: Api) -> None:
    job_id = api.accepted()
    jobs, store = api.gateway.jobs, api.gateway.store
    assert jobs.claim(job_id, "detector", "w", 30)
    api.client.delete(f"/v1/jobs/{job_id}")
    store.put(f"jobs/{job_id}/face-0", b"the worker did not know")
    sweep = sweeper(api, lease_s=0.2)
    sweep.sweep()
    assert jobs.existing([job_id]) == {job_id}
    time.sleep(0.25)
    sweep.sweep()
    assert jobs.existing([job_id]) == set()
    assert api.stored() == []


def test_jobs_go_by_age_with_their_photos(api: Api) -> None:
    done, waiting = api.accepted(), api.accepted()
    api.run_stages(done)
    sweeper(api, retention_days=1).retire()
    assert len(api.rows()) == 2
    sweeper(api, retention_days=0).retire()  # keeps all
    assert len(api.rows()) == 2
    time.sleep(0.05)
    sweeper(api, retention_days=0.04 / 86400).retire()
    assert [job.id for job in api.rows()] == [waiting]
    assert api.stored() == [f"jobs/{waiting}/original"]
    assert api.gateway.jobs.expired(finished_before=now() + timedelta(days=1), limit=10) == []


def test_orphaned_photos_go_and_nothing_else(api: Api) -> None:
    store = api.gateway.store
    kept = api.accepted()
    orphans = [id_of_age(age) for age in (2 * 3600, 3 * 86400, 300 * 86400)]
    recent = id_of_age(600)
    for job_id in (*orphans, recent):
        store.put(f"jobs/{job_id}/original", b"photo")
        store.put(f"jobs/{job_id}/face-0", b"crop")
    store.put("jobs/not-a-job/original", b"somebody else's")
    store.put("models/detector/current", b"2026.11.1")
    sweep = sweeper(api)
    sweep.remove_orphans()
    left = {f"jobs/{kept}/original", f"jobs/{recent}/original", f"jobs/{recent}/face-0"}
    left |= {"jobs/not-a-job/original", "models/detector/current"}
    assert set(api.stored()) == left
    late = id_of_age(2 * 3600)
    store.put(f"jobs/{late}/face-0", b"crop")
    sweep.remove_orphans()  # later rounds look at the last days alone, and find this one
    assert set(api.stored()) == left


def test_many_orphans_go_in_batches(api: Api) -> None:
    for index in range(250):
        api.gateway.store.put(f"jobs/{id_of_age(7200 + index)}/original", b"photo", durable=False)
    sweeper(api).remove_orphans()
    assert api.stored() == []


class Unsteady:
    """A job store that fails at first: once as when it is away, once as nobody expects."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self.sweeps = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def sweep(self, **options: Any) -> Swept:
        self.sweeps += 1
        if self.sweeps == 1:
            raise Unavailable("the database is away")
        if self.sweeps == 2:
            raise RuntimeError("nobody thought of this")
        return self._jobs.sweep(**options)


def test_it_goes_on_after_errors(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    gateway, stop = api.gateway, threading.Event()
    jobs = Unsteady(gateway.jobs)
    settings = gateway.settings.model_copy(update={"sweep_interval_s": 0.02})
    sweep = Sweeper(gateway.store, jobs, gateway.queue, settings, gateway.metrics)
    thread = threading.Thread(target=sweep.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 10
    while jobs.sweeps < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert "the database is away" in caplog.text
    assert "nobody thought of this" in caplog.text


def test_the_gateway_sweeps_by_itself(start: Start) -> None:
    api = start(sweep_interval_s=0.05, hint_after_s=0.05)
    api.accepted()
    deadline = time.monotonic() + 10
    while republished(api) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
