"""The trainer's whole chain on a tiny set through its own command line: prepare, train, resume, export, evaluate."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from services.common.inference.bundle import load_bundle, replay_golden
from services.detector.model import FaceDetector
from tests.device import DEVICE
from tests.photos import astronaut_rgb
from tests.unit.trainer.detector.tiny_widerface import write_tiny_widerface
from trainer.detector import backgrounds
from trainer.detector.cli import main

pytestmark = [
    pytest.mark.trainer,
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # torch's exporter and ultralytics warn about their own insides
]

VERBS = ("prepare", "train", "evaluate", "speed", "export", "publish")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("detector")


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    """A checkpoint after four steps, the last two of them resumed."""
    widerface = write_tiny_widerface(work / "wider")
    assert main(["prepare", "--widerface", str(widerface), "--out", str(work / "data")]) == 0
    train = ["train", "--data", str(work / "data"), "--out", str(work / "run"), "--hours", "1", "--device", DEVICE]
    train += ["--size-px", "96", "--final-size-px", "128", "--batch-size", "2", "--loader-workers", "0"]
    for steps in ("2", "4"):
        assert main([*train, "--max-steps", steps]) == 0
    return work / "run" / "last.pt"


def test_training_resumes_where_it_stopped(trained: Path) -> None:
    import torch

    state = torch.load(trained, weights_only=True)
    assert state["step"] == 4
    assert json.loads((trained.parent / "settings.json").read_text())["max_steps"] == 2  # of the run that began it


@pytest.fixture(scope="module")
def judging(work: Path) -> list[str]:
    return ["--widerface", str(work / "wider"), "--ground-truth", str(work / "wider" / "eval_gt"), "--threads", "1"]


@pytest.fixture(scope="module")
def bundle_folder(trained: Path, work: Path, judging: list[str]) -> Iterator[Path]:
    """The checkpoint's bundle; false alarms are counted on few pictures."""
    folder = work / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backgrounds, "GENERATED", 3)
        patch.setattr(backgrounds, "SCIKIT_PICTURES", ("coffee",))
        assert (
            main(["export", "--checkpoint", str(trained), "--bundle", str(folder), "--version", "0.1", *judging]) == 0
        )
        yield folder


def test_training_goes_on_from_a_bundle(bundle_folder: Path, work: Path) -> None:
    import torch

    train = ["train", "--data", str(work / "data"), "--out", str(work / "more"), "--hours", "1", "--device", DEVICE]
    train += ["--weights", str(bundle_folder), "--final-share", "1", "--final-size-px", "96", "--batch-size", "1"]
    assert main([*train, "--size-px", "96", "--loader-workers", "0", "--max-steps", "1"]) == 0
    state = torch.load(work / "more" / "last.pt", weights_only=True)
    assert state["step"] == 1
    before = torch.load(work / "run" / "last.pt", weights_only=True)["ema"]["model.22.cv3.0.2.bias"]
    torch.testing.assert_close(state["ema"]["model.22.cv3.0.2.bias"], before, atol=1e-3, rtol=1e-3)


def test_two_processes_share_a_run(trained: Path, work: Path) -> None:
    import torch

    if DEVICE == "cuda" and torch.cuda.device_count() < 2:
        pytest.skip("two training processes want two GPUs")
    command = [sys.executable, "-m", "trainer", "detector", "train", "--data", str(work / "data")]
    command += [
        "--out",
        str(work / "shared"),
        "--hours",
        "1",
        "--device",
        DEVICE,
        "--processes",
        "2",
        "--max-steps",
        "2",
    ]
    command += ["--size-px", "96", "--final-size-px", "96", "--batch-size", "2", "--loader-workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("checkpoint:") == 2, "both processes ran the same command"
    assert torch.load(work / "shared" / "last.pt", weights_only=True)["step"] == 2


def test_processes_never_share_a_gpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert main(["train", "--data", "nowhere", "--out", "nowhere", "--hours", "1", "--processes", "2"]) == 1
    assert "--processes 2 is one a GPU, and this machine shows 1" in capsys.readouterr().err


def test_speed_is_told_beside_ultralytics(
    bundle_folder: Path, judging: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["speed", "--bundle", str(bundle_folder), "--limit", "2", *judging]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("Ultralytics predict") and "1.00 times as fast" in rows[0]
    assert any(row.startswith("ONNX Runtime, float32") and " ms " in row and "AP " in row for row in rows)


def test_the_exported_graph_answers_as_torch_at_every_anchor(bundle_folder: Path, trained: Path) -> None:
    """Before any suppression, in which rounding may decide: boxes to a thousandth of a stride."""
    import onnxruntime
    import torch

    from trainer.detector.graph import OUTPUTS, FaceGraph, averaged_network

    picture = astronaut_rgb()[:256, :320].transpose(2, 0, 1)[None].astype(np.float32) / 255  # (1, 3, 256, 320)
    with torch.inference_mode():
        expected = FaceGraph(averaged_network(trained))(torch.from_numpy(picture))
    session = onnxruntime.InferenceSession(bundle_folder / "model.onnx", providers=["CPUExecutionProvider"])
    for answered, wanted in zip(session.run(list(OUTPUTS), {"image": picture}), expected, strict=True):
        np.testing.assert_allclose(answered, wanted.numpy(), atol=1e-3)


def test_export_evaluate_and_serve(
    bundle_folder: Path, work: Path, judging: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(bundle_folder)
    assert bundle.meta.label == "yolov8n-face@0.1"
    # Of boxes nearly equally sure, as those of four steps' training are, rounding decides which stays.
    assert bundle.meta.metrics["torch_parity"]["confidence"] < 1e-3  # type: ignore[index,operator,call-overload]

    detector = FaceDetector(bundle, threads=1)
    replay_golden(bundle, detector.replay, detector.engine.slack)
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
