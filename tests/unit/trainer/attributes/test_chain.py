"""prepare → train → evaluate → export → publish on tiny sets: what a user types, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")
pytest.importorskip("onnxscript")

from services.analyzer.graphs import GRAPHS
from services.common.inference.bundle import load_bundle, replay_golden
from tests.device import DEVICE
from tests.unit.trainer.attributes.tiny_sets import make_fairface, make_fer2013, make_utkface
from trainer.attributes.as_served import ServedGraph
from trainer.attributes.cli import main

pytestmark = [pytest.mark.trainer, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared, trained for some seconds, exported."""
    root = tmp_path_factory.mktemp("attributes")
    sets = {
        "--fer2013": make_fer2013(root / "fer2013"),
        "--fairface": make_fairface(root / "fairface"),
        "--utkface": make_utkface(root / "utkface"),
    }
    for part, used in (("emotion", ("--fer2013",)), ("faces", ("--fairface", "--utkface"))):
        paths = [str(word) for name in used for word in (name, sets[name])]
        prepared = ["prepare", part, *paths, "--data", str(root / "data"), "--align", "usual", "--held-out", "8"]
        assert main(prepared) == 0
        trained = ["train", part, "--data", str(root / "data"), "--run", str(root / part), "--device", DEVICE]
        trained += ["--hours", "0.0004"]
        assert main([*trained, "--batch", "16"]) == 0
        steps = [json.loads(line)["steps"] for line in (root / part / "log.jsonl").read_text().splitlines()]
        assert main([*trained[:-1], "0.0007", "--batch", "16"]) == 0, "a longer budget goes on with the run"
        resumed = [json.loads(line)["steps"] for line in (root / part / "log.jsonl").read_text().splitlines()]
        assert resumed[: len(steps)] == steps
        assert resumed == sorted(resumed)
    data = ["--emotion-data", str(root / "data"), "--faces-data", str(root / "data")]
    runs = ["--emotion-run", str(root / "emotion"), "--faces-run", str(root / "faces")]
    assert main(["export", *runs, *data, "--out", str(root / "bundles"), "--version", "0.0.1"]) == 0
    return root


@pytest.mark.parametrize("attribute", GRAPHS)
def test_bundles_are_whole_and_reproduce_themselves(folder: Path, attribute: str) -> None:
    bundle = load_bundle(folder / "bundles" / attribute)
    assert bundle.meta.classes == GRAPHS[attribute].labels
    served = ServedGraph(bundle.onnx_path.read_bytes(), attribute)
    replay_golden(bundle, lambda chip: {attribute: served.answer_chips(chip[None])[0]})
    answers = served.answer_chips(np.random.default_rng(1).integers(0, 255, (3, 160, 160, 3), dtype=np.uint8))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-4)
    assert bundle.onnx_path.stat().st_size < 6_000_000
    assert (bundle.folder / "confusion.png").stat().st_size > 1000
    assert "Worst" in bundle.card or attribute == "emotion"


@pytest.mark.parametrize("attribute", GRAPHS)
def test_the_graph_answers_as_the_trained_network(folder: Path, attribute: str) -> None:
    import torch

    from trainer.attributes.export import load_averaged
    from trainer.attributes.graph import DeepFaceGraph
    from trainer.attributes.network import EmotionNet, FaceNet

    part, net = ("emotion", EmotionNet()) if attribute == "emotion" else ("faces", FaceNet())
    graph = GRAPHS[attribute]
    faces = torch.rand(3, graph.side_px, graph.side_px, graph.channels)
    with torch.inference_mode():
        expected = DeepFaceGraph([load_averaged(net, folder / part)], attribute)(faces).numpy()
    served = ServedGraph((folder / "bundles" / attribute / "model.onnx").read_bytes(), attribute)
    np.testing.assert_allclose(served.run(faces.numpy()), expected, atol=5e-3)  # weights are stored in half precision


@pytest.mark.parametrize("attribute", GRAPHS)
def test_bundles_become_the_network_they_were_exported_from(folder: Path, attribute: str) -> None:
    import torch

    from trainer.attributes.emotion import EmotionSet
    from trainer.attributes.export import load_averaged
    from trainer.attributes.faces import FaceSet
    from trainer.attributes.graph import DeepFaceGraph
    from trainer.attributes.network import EmotionNet, FaceNet
    from trainer.attributes.restore import restore
    from trainer.attributes.train import augmented

    make, task = (EmotionNet, EmotionSet) if attribute == "emotion" else (FaceNet, FaceSet)
    net = make()
    restore(net, folder / "bundles", augmented(task(folder / "data")))
    graph = GRAPHS[attribute]
    faces = torch.rand(3, graph.side_px, graph.side_px, graph.channels)
    with torch.inference_mode():
        restored = DeepFaceGraph([net], attribute)(faces).numpy()
        to_export_again = DeepFaceGraph([load_averaged(make(), folder / "bundles")], attribute)(faces).numpy()
    served = ServedGraph((folder / "bundles" / attribute / "model.onnx").read_bytes(), attribute)
    np.testing.assert_allclose(restored, served.run(faces.numpy()), atol=1e-4)
    np.testing.assert_allclose(to_export_again, served.run(faces.numpy()), atol=1e-4)
    filters = net.backbone[0].conv.weight.flatten(1).norm(dim=1)
    assert filters.tolist() == pytest.approx([1] * len(filters), abs=1e-5), "a step of training is as long for each"


def test_a_run_goes_on_from_bundles(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "faces", "--data", str(folder / "data"), "--run", str(tmp_path / "run"), "--batch", "16"]
    command += ["--device", DEVICE]
    again = [*command, "--hours", "0.0003", "--weights"]
    assert main([*again, str(folder / "bundles")]) == 0
    assert "goes on from" in capsys.readouterr().out
    assert (tmp_path / "run" / "ema.pt").is_file()
    assert main([*again, str(tmp_path)]) == 1
    assert "age" in capsys.readouterr().err


def test_evaluate_prints_figures_of_the_bundles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--emotion-data", str(folder / "data"), "--faces-data", str(folder / "data")]
    assert main(["evaluate", "--bundles", str(folder / "bundles"), *data]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == set(GRAPHS)
    assert figures["gender"]["held_out"] == {"fairface": 8, "utkface": 8}
    assert sum(row["faces"] for row in figures["gender"]["by_group"]) == 8
    assert set(figures["ethnicity"]["harder"]) == {"grey", "32_px"}


def test_publish_makes_bundles_current(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEKIT_HOME", str(tmp_path))
    monkeypatch.setenv("FACEKIT_ENV_FILE", "/dev/null")
    assert main(["publish", str(folder / "bundles" / "age")]) == 0
    assert any("age" in str(file) for file in tmp_path.rglob("*"))


def test_mistakes_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "faces", "--align", "usual"]) == 1
    assert "--fairface" in capsys.readouterr().err
    assert main(["prepare", "emotion", "--fer2013", str(tmp_path), "--align", "usual"]) == 1
    assert "no pictures" in capsys.readouterr().err
