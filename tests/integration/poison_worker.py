"""A worker whose stage dies of one photo, as of a crash in native code: `python -m tests.integration.poison_worker`."""

from __future__ import annotations

import os
import signal
import time

from services.common.settings import Settings
from services.common.work.job_files import JobFiles
from services.common.work.worker import serve
from tests.unit.services.common.tiny_stage import TinyStage

POISON = b"a photo that no decoder survives"
SLOW = b"a photo that takes its time"


def run(asked: object, files: JobFiles) -> None:
    photo = files.get("original")
    files.put(f"by-{os.getpid()}", b"")
    if photo == POISON:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1.0 if photo == SLOW else 0.2)


if __name__ == "__main__":
    settings = Settings()
    serve(TinyStage(settings.home / "bundle", run), settings)
