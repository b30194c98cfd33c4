"""One more stage and one more kind are one file each, and everything else follows from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.common.flows.registry import KINDS, STAGES, flow_of, kind_named, progress_of
from services.common.jobs import Job, JobStatus, now

ROOT = Path(__file__).resolve().parents[5]
BROKEN = """
import services.common.{package}
services.common.{package}.__path__.append({folder!r})
import services.common.flows.registry
"""


def job(kind: str = "verification", stage: str | None = "detector", **options: object) -> Job:
    return Job("x", kind, JobStatus.RUNNING, stage, options, now())


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("toy")
    command = [sys.executable, "-m", "tests.unit.services.common.flows.toy_system", str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_stage_and_a_kind_more_are_found(toy: dict[str, Any]) -> None:
    assert set(toy["stages"]) - set(STAGES) == {"measurer"} and set(toy["kinds"]) - set(KINDS) == {"measurement"}
    assert toy["does"] == "Measures photos" and "measurer" in toy["workers"]


def test_a_job_of_the_new_kind_runs_to_its_end(toy: dict[str, Any]) -> None:
    assert toy["flow"] == ["detector", "measurer"], "the order comes from what each step needs, not from the list"
    assert toy["job"]["status"] == "succeeded"
    assert toy["job"]["steps"] == toy["flow"]
    assert toy["job"]["result"] == {"size": 3 * toy["photo_bytes"], "faces": 0}
    assert toy["job"]["models"] == {"detector": "tiny@1", "ruler": "ruler@1"}


def test_its_form_and_result_are_documented(toy: dict[str, Any]) -> None:
    form = toy["form"]["multipart/form-data"]["schema"]
    assert form["required"] == ["image"] and form["properties"]["factor"]["anyOf"][0]["maximum"] == 9
    assert {"$ref": "#/components/schemas/MeasurementResult"} in toy["results"]["anyOf"]
    assert toy["refused"] == "invalid_value"


def test_the_page_learns_its_words(toy: dict[str, Any]) -> None:
    assert toy["vocabulary"]["stages"]["measurer"]["doing"] == "Measuring"
    assert toy["vocabulary"]["kinds"]["measurement"]["title"] == "Measure"


@pytest.mark.parametrize(
    ("package", "text", "said"),
    [
        ("kinds", "", "declares no KIND"),
        ("stages", "from services.common.stages.detector import STAGE", "declared twice"),
        (
            "kinds",
            "import dataclasses\nfrom services.common.kinds import detection as d\n"
            "stage = dataclasses.replace(d.KIND.steps[0].stage, name='nobody')\n"
            "step = dataclasses.replace(d.KIND.steps[0], stage=stage)\n"
            "KIND = dataclasses.replace(d.KIND, name='odd', steps=(step,))",
            "'nobody' that is no stage",
        ),
    ],
)
def test_what_is_not_known_is_an_error_when_a_program_starts(
    tmp_path: Path, package: str, text: str, said: str
) -> None:
    (tmp_path / "odd.py").write_text(text)
    program = BROKEN.format(package=package, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and said in done.stderr


def test_an_unknown_kind_is_no_detection() -> None:
    with pytest.raises(ValueError, match="no kind of job"):
        kind_named("detections")
    with pytest.raises(ValueError, match="no kind of job"):
        flow_of(job("guess"))
    assert progress_of(job("guess")) == 0.0


def test_only_asked_stages_run() -> None:
    assert flow_of(job("detection", analyze=[])) == ("detector",)
    assert flow_of(job("detection", analyze=["age"])) == ("detector", "analyzer")
    assert flow_of(job("verification")) == ("detector", "verifier")


def test_progress_grows_with_the_stages() -> None:
    ended = Job("x", "verification", JobStatus.SUCCEEDED, None, {}, now())
    assert [progress_of(each) for each in (job(stage="detector"), job(stage="verifier"), ended)] == [0.0, 0.5, 1.0]
