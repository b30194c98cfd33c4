"""The whole chain on drawn people: prepare, train, interrupt, resume, calibrate, evaluate, export, serve."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the training half needs torch")

from services.common.inference.boxes import ARCFACE_TEMPLATE_XY  # noqa: E402
from services.common.inference.bundle import load_bundle, replay_golden  # noqa: E402
from services.verifier.model import FaceVerifier  # noqa: E402
from tests.device import DEVICE  # noqa: E402
from tests.unit.trainer.verifier.conftest import write_lfw  # noqa: E402
from trainer.loop import CHECKPOINT, Plan  # noqa: E402
from trainer.verifier import cli  # noqa: E402
from trainer.verifier.chips import SPLIT_FILE, ChipSet, open_chips  # noqa: E402
from trainer.verifier.config import AugmentConfig, TowerConfig, named_config  # noqa: E402
from trainer.verifier.export import export  # noqa: E402
from trainer.verifier.prepare import prepare  # noqa: E402
from trainer.verifier.report import Measured, calibrate_run, evaluate_run  # noqa: E402
from trainer.verifier.siamese_learner import SiameseLearner, train_siamese  # noqa: E402
from trainer.verifier.split import PeopleCrossSplit, Split, held_out_split, load_split  # noqa: E402
from trainer.verifier.trunk import adopt_onnx  # noqa: E402

pytestmark = [pytest.mark.trainer, pytest.mark.filterwarnings("default")]

TINY = named_config(
    "margin",
    tower=TowerConfig(48, 36, (8, 16, 32), (1, 1, 1), 32, 0.1),
    augment=AugmentConfig(),
    pairs_per_batch=16,
    singles_per_batch=4,
)
ON = torch.device(DEVICE)
PAIRS = 40
torch.set_num_threads(1)  # towers this small gain nothing from threads, and lose much on a busy machine


@dataclass
class Seen:
    boxes_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]


def half_blind(image_rgb: NDArray[np.uint8]) -> Seen:
    """A detector that knows where drawn faces are, sees a second face in the corner, and misses bright photos."""
    if image_rgb.mean() > 170:
        return Seen(np.zeros((0, 4), dtype=np.float32), np.zeros((0, 5, 2), dtype=np.float32))
    points = (ARCFACE_TEMPLATE_XY - 56) / np.float32(0.84) + 90
    boxes = np.array([[0, 0, 60, 60], [45, 30, 135, 150]], dtype=np.float32)
    return Seen(boxes, np.stack([points / 3, points]).astype(np.float32))


def split_people(counts: dict[str, int]) -> Split:
    return held_out_split(counts, 0.5, seed=3)


@pytest.fixture(scope="module")
def chips(drawn_lfw: Path, tmp_path_factory: pytest.TempPathFactory) -> ChipSet:
    return prepare(drawn_lfw, tmp_path_factory.mktemp("data"), half_blind, split_people)


def plan(steps: int, every_s: float = 300) -> Plan:
    return Plan(TINY.learning_rate, steps=steps, every_s=every_s, ema_decay=0.99)


def measured(chips: ChipSet) -> Measured:
    return Measured(chips.folder, None, 1, per_class=PAIRS)


@pytest.fixture(scope="module")
def run(chips: ChipSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train_siamese(chips, load_split(chips.folder / SPLIT_FILE), TINY, folder, plan(160), ON)
    return folder


def test_no_photo_is_dropped_and_misses_are_marked(chips: ChipSet, drawn_lfw: Path) -> None:
    assert len(chips) == len(list(drawn_lfw.rglob("*.jpg"))) == 210
    missed = [row for row in chips.rows if row.alignment == "average"]
    assert 0 < len(missed) < len(chips)
    summary = json.loads((chips.folder / "prepare.json").read_text())
    assert sorted(summary["without_detection"]) == sorted(row.path for row in missed)
    assert all(chips.chips[index].std() > 5 for index in range(0, len(chips), 20))


def test_training_tells_unseen_people_apart(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "train.jsonl").read_text().splitlines()]
    assert lines[-1]["steps"] == 160 and lines[-1]["pictures"] == 160 * 36
    assert lines[-1]["accuracy"] > 0.75


def test_a_finished_run_resumes_to_nothing_more(chips: ChipSet, run: Path) -> None:
    before = (run / CHECKPOINT).read_bytes()
    train_siamese(chips, load_split(chips.folder / SPLIT_FILE), TINY, run, plan(160), ON)
    assert (run / CHECKPOINT).read_bytes() == before


def test_ctrl_c_saves_and_the_same_command_goes_on(
    chips: ChipSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, calls, honest = load_split(chips.folder / SPLIT_FILE), iter(range(1000)), SiameseLearner.loss

    def interrupted(self: SiameseLearner, *arguments: object) -> object:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return honest(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SiameseLearner, "loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_siamese(chips, split, TINY, tmp_path, plan(6), ON)
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["clock"]["steps"] == 3
    train_siamese(chips, split, TINY, tmp_path, plan(6), ON)
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["clock"]["steps"] == 6
    with pytest.raises(ValueError, match="another config"):
        train_siamese(chips, split, replace(TINY, margin=0.2), tmp_path, plan(8), ON)


def test_a_run_that_saw_a_held_out_person_is_not_evaluated(chips: ChipSet, run: Path, tmp_path: Path) -> None:
    crossed = torch.load(run / CHECKPOINT, weights_only=True)
    split, description = load_split(chips.folder / SPLIT_FILE), json.loads(crossed["description"])
    description["split"]["train"].append(split.test[0])
    torch.save({**crossed, "description": json.dumps(description)}, tmp_path / CHECKPOINT)
    with pytest.raises(PeopleCrossSplit, match=split.test[0]):
        evaluate_run(measured(chips), tmp_path)


def test_calibrated_evaluated_exported_and_served(chips: ChipSet, run: Path, tmp_path: Path) -> None:
    record = calibrate_run(measured(chips), run, max_far=0.05)
    report = evaluate_run(measured(chips), run)
    assert report["held_out"]["pairs"] == 4 * PAIRS and report["held_out"]["accuracy"] > 0.7
    assert (run / "mistakes.png").stat().st_size > 1000
    bundle = export(run, tmp_path / "model", "drawn", "1", "none", "drawn people")
    assert "drawn people" in bundle.card and "| equal error rate |" in bundle.card
    model = FaceVerifier(load_bundle(tmp_path / "model"), threads=1)
    replay_golden(bundle, model.replay)
    vectors = model.embed(np.asarray(chips.chips[:3]))
    assert model.similarity(vectors[0], vectors)[0] == pytest.approx(1, abs=1e-5)
    assert model.threshold_for_far(None).value == record["calibration"]["default_threshold"]
    assert model.threshold_for_far(0.05).far <= 0.05


def test_a_foreign_network_is_measured_by_the_same_protocol(chips: ChipSet, run: Path, tmp_path: Path) -> None:
    from services.common.inference.bundle import InputSpec
    from trainer.verifier.graph import write_onnx

    write_onnx(run, tmp_path / "theirs.onnx")
    spec = InputSpec(
        width_px=36, height_px=36, channels="rgb", layout="nchw", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )
    adopt_onnx(tmp_path / "foreign", tmp_path / "theirs.onnx", spec, 48)
    ours = evaluate_run(measured(chips), run)["held_out"]
    theirs = evaluate_run(measured(chips), tmp_path / "foreign")["held_out"]
    assert theirs["accuracy"] == pytest.approx(ours["accuracy"], abs=0.03)


def test_the_contrastive_config_learns_too(chips: ChipSet, tmp_path: Path) -> None:
    config = named_config("contrastive", tower=TINY.tower, pairs_per_batch=16)
    train_siamese(chips, load_split(chips.folder / SPLIT_FILE), config, tmp_path, plan(40), ON)
    assert json.loads((tmp_path / "train.jsonl").read_text().splitlines()[-1])["accuracy"] > 0.55


@pytest.mark.parametrize(
    "verb", ["", "prepare", "prepare-portraits", "train", "choose", "evaluate", "calibrate", "export", "publish"]
)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*([verb] if verb else []), "--help"])
    assert ended.value.code == 0 and "--help" in capsys.readouterr().out


def test_a_mistake_is_a_sentence_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--data", str(tmp_path), "--run", str(tmp_path)]) == 1
    assert "run `prepare`" in capsys.readouterr().err


def test_command_line_prepares_funnelled_photos_without_a_detector(drawn_lfw: Path, tmp_path: Path) -> None:
    arguments = ["prepare", "--lfw", str(drawn_lfw), "--data", str(tmp_path), "--align", "fixed", "--held-out", "0.4"]
    assert cli.main(arguments) == 0
    assert {row.alignment for row in open_chips(tmp_path).rows} == {"average"}


def test_command_line_prepares_with_the_shipped_detector_on_every_core(tmp_path: Path) -> None:
    photos = write_lfw(tmp_path / "lfw", people=4, photos=2, singles=2)
    arguments = ["prepare", "--lfw", str(photos), "--data", str(tmp_path / "data"), "--held-out", "0.5"]
    assert cli.main([*arguments, "--detector-side", "160"]) == 0
    assert len(open_chips(tmp_path / "data")) == 10
