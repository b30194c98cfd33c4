"""`make bench`: what the system around the model costs, on this machine, in one run.

Images per second of the bare detector (decoded photos, every thread) and of the whole embedded stack at saturation,
measured in turns so that whatever else the machine does meets both, with the processor time an image costs each
process, and how much of it is spent around the model; latency of single jobs on an idle stack minus the time inside
models; peak memory of each process; time until ready.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from scripts.bench.cpu import around_model_ms, cpu_now_s, medians_ms, per_image_ms
from scripts.bench.photos import composed_photos, folder_photos
from scripts.bench.proc import cpu_name, memory_mb
from scripts.bench.report import report
from scripts.embedded.home import CannotStart
from scripts.embedded.stack import EmbeddedStack, apart
from services.common.inference.bundle import load_bundle
from services.common.photos.imaging import decode
from services.common.settings import load_settings
from services.detector.engines import engines
from services.detector.model import FaceDetector
from services.detector.stage import DetectorStage

UPLOADS_AT_ONCE = 4
IDLE_S = 0.2
EVERY_ATTRIBUTE = "age,gender,ethnicity,emotion"

Json = dict[str, Any]


class Server:
    """The running stack as its users meet it: over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def detect(self, photo: bytes, **fields: str) -> str:
        return self._accepted("/v1/detections", {"image": photo}, fields)

    def verify(self, anchor: bytes, photo: bytes) -> str:
        return self._accepted("/v1/verifications", {"anchor": anchor, "image": photo}, {})

    def finished(self, job_id: str) -> Json:
        """The succeeded job. Raises RuntimeError when it ended otherwise."""
        while True:
            answer = self._session.get(
                f"{self._url}/v1/jobs/{job_id}", params={"wait": "20", "until": "end"}, timeout=60
            )
            answer.raise_for_status()
            job: Json = answer.json()
            if job["status"] == "succeeded":
                return job
            if job["status"] not in {"queued", "running"}:
                raise RuntimeError(f"job {job_id} {job['status']}: {job['error']}")

    def detection(self, photo: bytes) -> requests.PreparedRequest:
        """The request of `detect`, to be made before the clock starts."""
        return self._submission("/v1/detections", {"image": photo}, {})

    def send(self, submission: requests.PreparedRequest) -> str:
        answer = self._session.send(submission, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def finished_all(self, job_ids: Sequence[str]) -> None:
        """Waits for the newest job that has not ended, and reads the results of the others by pages of a hundred, until
        there is every one. Raises RuntimeError when one did not succeed."""
        missing = set(job_ids)
        while missing:
            self.finished(max(missing))
            cursor: str | None = None
            while missing:
                parameters = {"limit": "100", **({"cursor": cursor} if cursor else {})}
                answer = self._session.get(f"{self._url}/v1/jobs", params=parameters, timeout=60)
                answer.raise_for_status()
                page = answer.json()
                ended = [job for job in page["jobs"] if job["id"] in missing and job["finished_at"]]
                for job in ended:
                    if job["status"] != "succeeded":
                        raise RuntimeError(f"job {job['id']} {job['status']}: {job['error']}")
                missing -= {job["id"] for job in ended}
                cursor = page["next_cursor"]
                if cursor is None or (missing and cursor < min(missing)):
                    break

    def _accepted(self, path: str, photos: dict[str, bytes], fields: dict[str, str]) -> str:
        return self.send(self._submission(path, photos, fields))

    def _submission(self, path: str, photos: dict[str, bytes], fields: dict[str, str]) -> requests.PreparedRequest:
        files = {name: (f"{name}.jpg", content) for name, content in photos.items()}
        return self._session.prepare_request(requests.Request("POST", self._url + path, files=files, data=fields))


def bare_images_per_s(model: FaceDetector, photos_rgb: Sequence[NDArray[np.uint8]], count: int) -> float:
    started = time.perf_counter()
    for index in range(count):
        model.detect(photos_rgb[index % len(photos_rgb)])
    return count / (time.perf_counter() - started)


def model_ms(model: FaceDetector, photos_rgb: Sequence[NDArray[np.uint8]], count: int, at_once: int) -> float:
    """Processor time the model takes of an image when photos come side by side, as they do in a busy worker."""
    started_s = time.process_time()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda index: model.detect(photos_rgb[index % len(photos_rgb)]), range(count)))
    return (time.process_time() - started_s) * 1000 / count


def stack_images_per_s(url: str, photos: Sequence[bytes], count: int) -> float:
    """From the first upload until the client has the last result, with every job queued as fast as it is accepted.

    The client runs on the same cores, so it does no work twice: a form is made once a photo, results come by pages.
    """
    servers = [Server(url) for _ in range(UPLOADS_AT_ONCE)]
    submissions = [servers[0].detection(photo) for photo in photos]

    def upload(first: int) -> list[str]:
        return [servers[first].send(submissions[i % len(photos)]) for i in range(first, count, UPLOADS_AT_ONCE)]

    started = time.perf_counter()
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        jobs = [job for uploaded in pool.map(upload, range(UPLOADS_AT_ONCE)) for job in uploaded]
    servers[0].finished_all(jobs)
    return count / (time.perf_counter() - started)


def overhead_ms(server: Server, photos: Sequence[bytes], count: int, kind: str) -> Json:
    """What a client waits for one job on an idle stack, upload included, beyond the time inside models."""
    latencies, overheads = [], []
    for index in range(count):
        photo = photos[index % len(photos)]
        time.sleep(IDLE_S)
        started = time.perf_counter()
        if kind == "verification":
            job = server.finished(server.verify(photos[0], photo))
        else:
            fields = {"analyze": EVERY_ATTRIBUTE} if kind == "detection, all attributes" else {}
            job = server.finished(server.detect(photo, **fields))
        latency = (time.perf_counter() - started) * 1000
        model = sum(value for name, value in job["timings_ms"].items() if name.endswith("_model"))
        latencies.append(latency)
        overheads.append(latency - model)
    return {
        "kind": kind,
        "jobs": count,
        "latency_median": round(statistics.median(latencies), 1),
        "overhead_median": round(statistics.median(overheads), 1),
        "overhead_p95": round(float(np.percentile(overheads, 95)), 1),
    }


def measure(arguments: argparse.Namespace) -> Json:
    settings = load_settings()
    photos = folder_photos(arguments.photos) if arguments.photos else composed_photos(24)
    photos_rgb = [decode(photo, max_pixels=settings.max_pixels) for photo in photos]
    bundle = load_bundle(
        settings.bundles / "detector" if settings.bundles else DetectorStage.bundle_folders["detector"]
    )
    engine = next(engines(bundle, settings.threads, settings.detector_engine, device=settings.device))
    model = FaceDetector(bundle, threads=settings.threads, engine=engine)
    with tempfile.TemporaryDirectory(prefix="facekit-bench-") as home:
        stack = EmbeddedStack({**apart(Path(home)), "FACEKIT_RATE_LIMIT_PER_MINUTE": "0"}, say=_note)
        ready_s = stack.start()
        try:
            server = Server(stack.url)
            server.finished(server.verify(photos[0], photos[0]))
            server.finished(server.detect(photos[0], analyze=EVERY_ATTRIBUTE))
            model.detect(photos_rgb[0])
            bare, whole, bare_cpu_ms, whole_cpu_ms, around_cpu_ms = [], [], [], [], []
            pids = {name: child.pid for name, child in stack.children.items() if child.pid}
            for number in range(arguments.rounds):
                started_s = time.process_time()
                bare.append(bare_images_per_s(model, photos_rgb, arguments.images))
                bare_cpu_ms.append((time.process_time() - started_s) * 1000 / arguments.images)
                before = cpu_now_s(pids)
                whole.append(stack_images_per_s(stack.url, photos, arguments.images))
                whole_cpu_ms.append(per_image_ms(before, cpu_now_s(pids), arguments.images))
                beside_ms = model_ms(model, photos_rgb, arguments.images, settings.concurrency)
                around_cpu_ms.append(around_model_ms(whole_cpu_ms[-1], beside_ms))
                _note(f"round {number + 1}: bare {bare[-1]:.2f}, stack {whole[-1]:.2f} images/s")
            kinds = ("detection", "detection, all attributes", "verification")
            idle = [overhead_ms(server, photos, arguments.jobs, kind) for kind in kinds]
            memory = {name: memory_mb(child.pid) for name, child in stack.children.items() if child.pid}
            restarts = {name: child.restarts for name, child in stack.children.items() if child.restarts}
        finally:
            stack.stop()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": settings.threads, "cpu": cpu_name(), "python": platform.python_version()},
        "load_before": _LOAD_BEFORE,
        "model": f"{bundle.meta.label} on {engine.name}",
        "photos": {"from": str(arguments.photos or "composed of the astronaut"), "count": len(photos)},
        "ready_s": round(ready_s, 2),
        "images_per_round": arguments.images,
        "bare_images_per_s": [round(value, 2) for value in bare],
        "stack_images_per_s": [round(value, 2) for value in whole],
        "stack_to_bare": round(statistics.median(s / b for s, b in zip(whole, bare, strict=True)), 3),
        "cpu_ms_per_image": {
            "bare detector": round(statistics.median(bare_cpu_ms), 1),
            **medians_ms(whole_cpu_ms),
        },
        "cpu_ms_around_model": medians_ms(around_cpu_ms),
        "idle_ms": idle,
        "memory_mb": memory,
        "restarts": restarts,
    }


_LOAD_BEFORE = os.getloadavg()[0]


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="measure with these instead of composed ones")
    parser.add_argument("--images", type=int, default=200, help="of each phase of a round (200)")
    parser.add_argument("--rounds", type=int, default=3, help="bare and stack in turns (3)")
    parser.add_argument("--jobs", type=int, default=30, help="single jobs of each kind on the idle stack (30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    arguments = parser.parse_args(argv)
    try:
        figures = measure(arguments)
    except (CannotStart, RuntimeError, ValueError, OSError) as error:
        _note(f"bench: {error}")
        return 1
    print(report(figures))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
