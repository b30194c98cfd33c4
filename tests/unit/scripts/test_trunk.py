"""A network of somebody's own is fed as suits it, measured on people who chose nothing, and serves as a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from scripts.trunk import __main__ as trunk
from scripts.trunk.measured import Pairs, best_feeding, calibrate
from scripts.trunk.network import Network, NotAFaceNetwork
from scripts.trunk.people import People
from services.common.errors import GoldenMismatch
from services.verifier.calibration import fit_platt
from services.verifier.model import FaceVerifier

PEOPLE, PHOTOS = 60, 4


def network(path: Path, *, outputs: int = 147, batch: int | str = "n", channels: int = 3) -> Path:
    """A network whose vector is a picture 7 px wide: alike pictures have alike vectors, once grey is in the middle."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [batch, channels, 112, 112])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [batch, outputs])
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["small"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["small"], ["vector"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [picture], [vector])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def people() -> People:
    """A broad pattern a person, and noise a photo."""
    rng = np.random.default_rng(11)
    chips = []
    for _ in range(PEOPLE):
        pattern = cv2.resize(rng.integers(60, 196, (5, 5, 3)).astype(np.float32), (160, 160))
        for _ in range(PHOTOS):
            noise = cv2.resize(rng.normal(0, 30, (10, 10, 3)).astype(np.float32), (160, 160))
            chips.append(np.clip(pattern + noise, 0, 255).astype(np.uint8))
    return People(np.stack(chips), np.repeat(np.arange(PEOPLE), PHOTOS))


def arguments(onnx_file: Path, **others: object) -> argparse.Namespace:
    told = {"name": "mine", "version": "1", "trained_on": "squares", "licence": "none"}
    return argparse.Namespace(onnx=onnx_file, **{**told, **others})


@pytest.mark.parametrize("batch", ["n", 1, 8])
def test_it_is_fed_as_suits_it_and_measured_on_the_other_half(tmp_path: Path, people: People, batch: int | str) -> None:
    mine = Network(network(tmp_path / "mine.onnx", batch=batch), threads=1)
    feeding = best_feeding(mine, people.half(0))
    assert feeding.spec.mean[0] > 0, "plain grey levels make everybody alike"
    found = calibrate(mine, feeding, people)
    other = Pairs.of(mine.embed(people.half(1).chips, feeding), people.half(1).person)
    assert found.measured["people"] == PEOPLE // 2 and found.measured["accuracy"] > 0.9
    passed = float((other.impostor >= found.default_threshold).mean())
    assert found.measured["far_at_default"] == pytest.approx(passed, abs=1e-5)
    row = next(row for row in found.table if row["threshold"] == found.default_threshold)
    assert row["far"] <= 0.01 and found.platt.slope > 0


def test_the_bundle_serves(tmp_path: Path, people: People) -> None:
    mine = Network(network(tmp_path / "mine.onnx"), threads=1)
    feeding = best_feeding(mine, people.half(0))
    bundle = trunk.bundled(
        arguments(tmp_path / "mine.onnx"), feeding, calibrate(mine, feeding, people), tmp_path / "b", 1
    )
    model = FaceVerifier(bundle, threads=1)
    vectors = model.embed(people.chips[:3])
    assert np.allclose(vectors, mine.embed(people.chips[:3], feeding), atol=1e-5)
    similar = model.similarity(vectors[0], vectors[1:])
    assert (similar >= model.threshold_for_far().value).all() and "squares" in bundle.card


def test_golden_answers_that_differ_are_refused(
    tmp_path: Path, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Network(network(tmp_path / "mine.onnx"), threads=1)
    feeding = best_feeding(mine, people.half(0))
    found = calibrate(mine, feeding, people)

    def turned(self: Network, chips: NDArray[np.uint8], how: object) -> NDArray[np.float32]:
        return np.full((len(chips), 147), 147**-0.5, np.float32)

    monkeypatch.setattr(Network, "embed", turned)
    with pytest.raises(GoldenMismatch):
        trunk.bundled(arguments(tmp_path / "mine.onnx"), feeding, found, tmp_path / "b", 1)


def test_a_network_that_knows_nobody_is_refused(tmp_path: Path, people: People) -> None:
    mine = Network(network(tmp_path / "mine.onnx"), threads=1)
    strangers = People(people.chips, np.random.default_rng(1).permutation(people.person))
    with pytest.raises(NotAFaceNetwork, match="strangers"):
        best_feeding(mine, strangers)


def test_a_file_that_is_no_face_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(NotAFaceNetwork, match="cannot be loaded"):
        Network(tmp_path / "text.onnx", threads=1)
    with pytest.raises(NotAFaceNetwork, match="3 channels"):
        Network(network(tmp_path / "grey.onnx", channels=1, outputs=49), threads=1)


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = network(tmp_path / "mine.onnx")
    assert trunk.main(["install", str(mine), "--pairs", str(tmp_path / "nobody"), "--out", str(tmp_path)]) == 1
    assert "is no folder" in capsys.readouterr().err
    (tmp_path / "people" / "ada").mkdir(parents=True)
    assert trunk.main(["install", str(mine), "--pairs", str(tmp_path / "people"), "--out", str(tmp_path)]) == 1
    assert "20 are the least" in capsys.readouterr().err


def test_probabilities_follow_what_was_seen() -> None:
    rng = np.random.default_rng(2)
    genuine, impostor = rng.normal(0.6, 0.15, 5000), rng.normal(0.1, 0.15, 20000)
    scores = np.concatenate([genuine, impostor]).astype(np.float32)
    fitted = fit_platt(scores, np.arange(len(scores)) < len(genuine))
    # Two normal distributions of one width: the true slope is their distance over the variance.
    assert fitted.slope == pytest.approx(0.5 / 0.15**2, rel=0.05)
    assert float(fitted.probability(np.array([0.35], np.float32))[0]) == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="not more alike"):
        fit_platt(-scores, np.arange(len(scores)) < len(genuine))
