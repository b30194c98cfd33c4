"""A consumer for tests: appends each job id to a file when it starts handling it, and again, with `!`, when done.

python -m tests.contract.consumer BROKER_URL STAGE CONCURRENCY SECONDS FILE
"""

from __future__ import annotations

import os
import sys
import time

from services.common.adapters.celery_queue import CeleryQueue


def main(url: str, stage: str, concurrency: str, seconds: str, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def handle(job_id: str) -> None:
        os.write(file, f"{job_id}\n".encode())
        time.sleep(float(seconds))
        os.write(file, f"{job_id}!\n".encode())

    queue = CeleryQueue(url)
    queue.consume(stage, handle, concurrency=int(concurrency))
    queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
