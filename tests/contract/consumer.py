"""A consumer for tests: appends each job id to a file when it starts handling it, and again, with `!`, when done.

python -m tests.contract.consumer URL STAGE CONCURRENCY SECONDS FILE

URL names a broker, or the database where that is the queue; then jobs are claimed and finished, as workers do.
"""

from __future__ import annotations

import os
import sys
import time

from services.common.adapters.celery_queue import CeleryQueue
from services.common.adapters.database_queue import DatabaseQueue
from services.common.adapters.sql_database import Database
from services.common.adapters.sql_jobs import SqlJobStore


def main(url: str, stage: str, concurrency: str, seconds: str, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    jobs = None if url.startswith("redis://") else SqlJobStore(Database(url))
    me = f"consumer-{os.getpid()}"

    def handle(job_id: str) -> None:
        if jobs is not None and jobs.claim(job_id, stage, me, 30) is None:
            return
        os.write(file, f"{job_id}\n".encode())
        time.sleep(float(seconds))
        os.write(file, f"{job_id}!\n".encode())
        if jobs is not None:
            jobs.finish_stage(job_id, me, next_stage=None, result={}, timings_ms={}, models={})

    queue = CeleryQueue(url) if jobs is None else DatabaseQueue(jobs)
    queue.consume(stage, handle, concurrency=int(concurrency))
    queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
