"""A photo that costs too much memory ends its own job; the same worker does the next one as before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests import photos
from tests.environment import without_settings
from tests.fuzz.seeds import encoded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_DATA")

WORKER = """
import json, sys
from pathlib import Path
from services.common.bootstrap import build
from services.common.jobs import Job, JobStatus, new_job_id, now
from services.common.photos.memory import limit_growth
from services.common.settings import load_settings
from services.common.work.job_files import JobFiles
from services.common.work.worker import Worker
from services.detector.stage import DetectorStage
from services.gateway.migrate import migrate
folder, settings = Path(sys.argv[1]), load_settings()
migrate(settings.effective_database_url)
ports = build(settings)
worker = Worker(DetectorStage(), store=ports.store, jobs=ports.jobs, queue=ports.queue, settings=settings)
limit_growth(1_000_000, photos_at_once=1, threads=20)
ended = []
for name in ("plain", "costly", "plain", "costly", "plain"):
    job = Job(new_job_id(), "detection", JobStatus.QUEUED, "detector", {}, now())
    JobFiles(ports.store, job.id).put("original", (folder / name).read_bytes())
    ports.jobs.insert(job, max_active=9)
    worker.handle(job.id)
    job = ports.jobs.get(job.id)
    ended.append([job.status.value, job.error["code"] if job.error else len(job.result["faces"]), job.attempts])
print(json.dumps(ended))
"""


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_costly_photo_ends_its_job_and_no_worker(tmp_path: Path, engine: str) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    flat = Image.new("RGB", (8000, 7900), (90, 120, 20))
    (tmp_path / "costly").write_bytes(encoded(flat, "JPEG", progressive=True))
    (tmp_path / "plain").write_bytes(photos.one_face())
    environment = without_settings() | {"FACEKIT_HOME": str(tmp_path / "home"), "FACEKIT_DETECTOR_ENGINE": engine}
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    plain, costly = ["succeeded", 1, 1], ["failed", "image_too_costly", 1]
    assert json.loads(done.stdout) == [plain, costly, plain, costly, plain]
