"""The trainer's whole chain on a tiny set through its own command line: prepare, train, resume, export, evaluate."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from services.common.bundle import load_bundle, replay_golden
from services.detector.model import FaceDetector
from tests.photos import astronaut_rgb
from tests.unit.trainer.detector.tiny_widerface import write_tiny_widerface
from trainer.detector import backgrounds
from trainer.detector.cli import main

pytestmark = [
    pytest.mark.trainer,
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # torch's exporter and ultralytics warn about their own insides
]

VERBS = ("prepare", "train", "evaluate", "export", "publish")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("detector")


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    """A checkpoint after four steps, the last two of them resumed."""
    widerface = write_tiny_widerface(work / "wider")
    assert main(["prepare", "--widerface", str(widerface), "--out", str(work / "data")]) == 0
    train = ["train", "--data", str(work / "data"), "--out", str(work / "run"), "--hours", "1", "--device", "cpu"]
    train += ["--size-px", "96", "--final-size-px", "128", "--batch-size", "2", "--loader-workers", "0"]
    for steps in ("2", "4"):
        assert main([*train, "--max-steps", steps]) == 0
    return work / "run" / "last.pt"


def test_training_resumes_where_it_stopped(trained: Path) -> None:
    import torch

    state = torch.load(trained, weights_only=True)
    assert state["step"] == 4
    assert json.loads((trained.parent / "settings.json").read_text())["max_steps"] == 2  # of the run that began it


def test_export_evaluate_and_serve(
    trained: Path, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backgrounds, "GENERATED", 3)
    monkeypatch.setattr(backgrounds, "SCIKIT_PICTURES", ("coffee",))
    judging = ["--widerface", str(work / "wider"), "--ground-truth", str(work / "wider" / "eval_gt"), "--threads", "1"]
    bundle_folder = work / "bundle"
    exported = main(
        ["export", "--checkpoint", str(trained), "--bundle", str(bundle_folder), "--version", "0.1", *judging]
    )
    assert exported == 0
    bundle = load_bundle(bundle_folder)
    assert bundle.meta.label == "yolov8n-face@0.1"
    assert bundle.meta.metrics["torch_parity"]["box_px"] < 0.1  # type: ignore[index,operator,call-overload]

    detector = FaceDetector(bundle, threads=1)
    replay_golden(bundle, detector.replay)
    found = detector.detect(astronaut_rgb(), min_confidence=0.01, max_faces=20)
    assert found.boxes_xyxy.shape == (len(found), 4) and found.landmarks_xy.shape == (len(found), 5, 2)
    assert np.isfinite(found.boxes_xyxy).all()

    names = work / "names.txt"
    names.write_text("0--Parade/0_Parade_val_0.jpg\n")
    out = work / "evaluation"
    assert main(["evaluate", "--bundle", str(bundle_folder), "--names", str(names), "--out", str(out), *judging]) == 0
    figures = json.loads((out / "evaluation.json").read_text())
    assert figures["photos"] == 1 and figures["faces"]["easy"] == 1
    assert (out / "precision_recall.png").stat().st_size > 1000
    assert "data:image/png" in (out / "report.html").read_text()
    assert "average_precision" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([verb, "--help"])
    assert stopped.value.code == 0
    assert verb in capsys.readouterr().out
