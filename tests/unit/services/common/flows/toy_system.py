"""A program with one more stage and one more kind of job, each a file in a folder of its own: prints what came of it.

Run with a folder for the state: `python -m tests.unit.services.common.flows.toy_system FOLDER`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import services.common.kinds
import services.common.stages

TOY = Path(__file__).parent / "toy"
services.common.stages.__path__.append(str(TOY / "stages"))
services.common.kinds.__path__.append(str(TOY / "kinds"))

from fastapi.testclient import TestClient  # noqa: E402

from services.common.flows.registry import KINDS, STAGES, TASKS  # noqa: E402
from services.common.inference.bundle import Bundle, golden_case, replay_golden, write_bundle  # noqa: E402
from services.common.settings import Settings  # noqa: E402
from services.common.work.job_files import JobFiles  # noqa: E402
from services.common.work.stage import StageResult  # noqa: E402
from services.common.work.worker import Worker  # noqa: E402
from services.gateway.app import create_app  # noqa: E402
from tests.photos import one_face  # noqa: E402
from tests.unit.services.common.tiny_stage import PIXEL, TinyStage, tiny_bundle  # noqa: E402


class MeasurerStage:
    spec = STAGES["measurer"]
    unbundled: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, folder: Path) -> None:
        self.bundle_folders = {"ruler": folder}

    def build(self, bundles: dict[str, Bundle], settings: Settings) -> str:
        replay_golden(bundles["ruler"], lambda image: {"same": image})
        return bundles["ruler"].meta.label

    def run(self, model: str, asked: object, files: JobFiles) -> StageResult:
        names = asked.names  # type: ignore[attr-defined]
        sizes = {name: len(files.get(name)) for name in names}
        return StageResult(self.spec.gives.model_validate({"bytes": sizes}), {"ruler": model}, 0.0)


def main(home: Path) -> None:
    tiny_bundle(home / "tiny", "1", factor=2)
    meta = {
        "task": "ruler",
        "name": "ruler",
        "version": "1",
        "input": {"width_px": 1, "height_px": 1, "channels": "rgb", "layout": "nhwc"},
        "trained_on": "nothing",
        "licence": "AGPL-3.0",
    }
    write_bundle(
        home / "ruler", onnx=b"none", meta=meta, golden=[golden_case("pixel", PIXEL, {"same": PIXEL})], card="#"
    )
    settings = Settings(home=home / "state")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        gateway = client.app.state.gateway  # type: ignore[attr-defined]
        answer = client.post("/v1/measurements", files={"image": one_face()}, data={"factor": "3"})
        refused = client.post("/v1/measurements", files={"image": one_face()}, data={"factor": "30"})
        job_id = answer.json()["id"]
        flow = []
        for stage in (TinyStage(home / "tiny"), MeasurerStage(home / "ruler")):
            flow.append(gateway.jobs.get(job_id).stage)
            ports = {"store": gateway.store, "jobs": gateway.jobs, "queue": gateway.queue}
            Worker(stage, **ports, settings=settings).handle(job_id)
        job = client.get(f"/v1/jobs/{job_id}").json()
        document = client.get("/openapi.json").json()
        said = {
            "stages": sorted(STAGES),
            "kinds": sorted(KINDS),
            "does": TASKS["ruler"],
            "refused": refused.json()["code"],
            "flow": flow,
            "job": job,
            "photo_bytes": len(one_face()),
            "workers": sorted(client.get("/readyz").json()["workers"]),
            "form": document["paths"]["/v1/measurements"]["post"]["requestBody"]["content"],
            "results": document["components"]["schemas"]["JobView"]["properties"]["result"],
            "vocabulary": client.get("/v1/vocabulary").json(),
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
