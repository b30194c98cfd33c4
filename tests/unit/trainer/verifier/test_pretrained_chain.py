"""`pretrained` from two folders of drawn people and a made file of weights to a bundle that answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from services.common.inference.bundle import load_bundle, replay_golden  # noqa: E402
from services.verifier.model import FaceVerifier  # noqa: E402
from tests.unit.trainer.verifier.conftest import write_fairface  # noqa: E402
from tests.unit.trainer.verifier.dlib_file import dlib_file  # noqa: E402
from trainer.verifier import cli  # noqa: E402
from trainer.verifier.alike import AlikeSampler  # noqa: E402
from trainer.verifier.portrait_chips import cut_chips  # noqa: E402
from trainer.verifier.portraits import (  # noqa: E402
    Portrait,
    PortraitSet,
    hold_out,
    open_portraits,
    read_fairface,
    read_utkface,
    write_portraits,
)

pytestmark = [pytest.mark.trainer, pytest.mark.filterwarnings("default")]
TINY = ["people=4", "singles=2", "groups=2", "each=4", "sface_weight=0"]


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> PortraitSet:
    """36 faces of each of two groups, cut where FairFace's faces usually lie; 40 of them held out."""
    fairface = write_fairface(tmp_path_factory.mktemp("fairface"), each=40)
    rows = hold_out(read_fairface(fairface), 40, seed=7)
    out = tmp_path_factory.mktemp("portraits")
    written = write_portraits(out, rows, lambda rows: cut_chips(rows, {"fairface": fairface}, None))
    for part in (out / "portraits.csv",):  # no detector here: call the chips aligned, or the held-out ones are not used
        part.write_text(part.read_text().replace(",0\n", ",1\n").replace(",0\r\n", ",1\r\n"))
    assert len(written) == 80
    return open_portraits(out)


def test_command_line_prepares_portraits_with_the_shipped_detector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fairface, utkface = write_fairface(tmp_path / "fairface", each=4), tmp_path / "utkface"
    utkface.mkdir()
    (utkface / "20_1_2_2017.png").write_bytes((fairface / "train" / "1.png").read_bytes())
    (tmp_path / "never.txt").write_text("33_0_0_2019.jpg\n")
    arguments = ["prepare-portraits", "--fairface", str(fairface), "--utkface", str(utkface), "--held-out", "4"]
    assert cli.main([*arguments, "--exclude", str(tmp_path / "never.txt"), "--portraits", str(tmp_path / "out")]) == 0
    assert sum(json.loads(capsys.readouterr().out).values()) == 9
    assert {row.source for row in open_portraits(tmp_path / "out").rows} == {"fairface", "utkface"}


def test_portraits_know_their_groups_and_what_is_held_out(portraits: PortraitSet) -> None:
    assert {row.group for row in portraits.rows} == {"East Asian woman", "Latino Hispanic man"}
    assert {row.age_band for row in portraits.rows} == {1, 3}  # 3-9, which a spreadsheet wrote as 03-Sep, and 20-29
    parts = [row.part for row in portraits.rows]
    assert parts.count("calibrate") == parts.count("test") == 20 and parts.count("train") == 40


def test_names_never_to_be_used_are_not_read(tmp_path: Path) -> None:
    for name in ("20_1_2_2017.jpg", "31_0_4_2018.jpg.chip.jpg", "9_1_2017.jpg", "33_0_0_2019.png"):
        (tmp_path / name).write_bytes(b"")
    rows = read_utkface(tmp_path, ["33_0_0_2019.jpg.chip.jpg"])
    assert [(row.path, row.group) for row in rows] == [
        ("20_1_2_2017.jpg", "Asian woman"),
        ("31_0_4_2018.jpg.chip.jpg", ""),
    ]


def test_a_batch_of_strangers_is_of_one_kind_and_every_kind_is_as_likely() -> None:
    rows = [Portrait(str(i), "fairface", "train", "man", ("White", "Black")[i < 20], 3 + i % 2) for i in range(400)]
    sampler, rng, seen = AlikeSampler(rows, np.arange(400), groups=1, each=8), np.random.default_rng(1), []
    for _ in range(200):
        drawn, _ = sampler.draw(rng)
        assert len({(rows[row].group, rows[row].age_band) for row in drawn}) == 1 and len(set(drawn)) == 8
        seen.append(rows[drawn[0]].ethnicity)
    assert 70 < seen.count("Black") < 130
    with pytest.raises(ValueError, match="no group"):
        AlikeSampler(rows, np.arange(400), groups=1, each=400)


@pytest.mark.slow
def test_one_command_trains_and_a_bundle_comes_of_it(
    portraits: PortraitSet, drawn_lfw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, weights = tmp_path / "data", tmp_path / "run", tmp_path / "made.dat"
    weights.write_bytes(dlib_file())
    prepare = ["prepare", "--lfw", str(drawn_lfw), "--data", str(data), "--align", "fixed", "--held-out", "0.4"]
    assert cli.main(prepare) == 0
    on = ["--data", str(data), "--run", str(run), "--portraits", str(portraits.folder)]
    train = ["train", *on, "--pretrained", str(weights), *(word for field in TINY for word in ("--set", field))]
    train += ["--device", "cpu"]
    assert cli.main([*train, "--steps", "2"]) == 0
    chosen = torch.load(run / "tower.pt", weights_only=True)
    assert len(json.loads(chosen["record"])["tried"]) == 12
    assert cli.main([*train, "--set", "each=3", "--steps", "3"]) == 1
    assert "another config" in capsys.readouterr().err

    assert cli.main(["calibrate", *on, "--per-class", "40", "--fewest", "20", "--max-far", "0.2"]) == 0
    assert cli.main(["evaluate", *on, "--per-class", "40", "--fewest", "20"]) == 0
    assert cli.main(["export", "--run", str(run), "--out", str(tmp_path / "model"), "--version", "1"]) == 0
    bundle = load_bundle(tmp_path / "model")
    model = FaceVerifier(bundle, threads=1)
    replay_golden(bundle, model.replay)
    assert model.embed(np.asarray(portraits.chips[:2])).shape == (2, 128)
    assert "East Asian woman" in bundle.card and "dlib" in bundle.card and "SFace" not in bundle.card
    assert bundle.meta.calibration["far_means"] == "strangers of the same gender, ethnicity and age"
    assert bundle.onnx_path.stat().st_size < 14e6


def test_pretrained_without_portraits_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["choose", "--data", str(tmp_path), "--run", str(tmp_path)]) == 1
    assert "prepare" in capsys.readouterr().err
