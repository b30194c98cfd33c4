"""A bundle that was altered, or a model that answers otherwise than when it was exported, is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.common.errors import BundleInvalid, GoldenMismatch
from services.common.inference.bundle import BundleMeta, golden_case, load_bundle, replay_golden, write_bundle

META = {
    "task": "detector",
    "name": "test-net",
    "version": "2026.11.1",
    "input": {"width_px": 0, "height_px": 0, "channels": "rgb", "layout": "nchw"},
    "trained_on": "nothing",
    "licence": "AGPL-3.0",
}
PICTURE = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)


def mean_colour(image_rgb):
    return {"mean": image_rgb.reshape(-1, 3).mean(axis=0)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    golden = [golden_case("ramp", PICTURE, mean_colour(PICTURE))]
    write_bundle(tmp_path / "b", onnx=b"graph", meta=META, golden=golden, card="# test-net\n")
    return tmp_path / "b"


def test_round_trip(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.meta.label == "test-net@2026.11.1"
    assert (bundle.golden.cases[0].image_rgb() == PICTURE).all()
    replay_golden(bundle, mean_colour)


def test_a_swapped_channel_order_fails_loudly(folder: Path) -> None:
    with pytest.raises(GoldenMismatch, match="differs by"):
        replay_golden(load_bundle(folder), lambda image: mean_colour(image[..., ::-1]))


@pytest.mark.parametrize("answer", [{}, {"mean": np.zeros(4)}, {"mean": np.full(3, np.nan)}])
def test_missing_misshapen_and_nan_outputs_fail(folder: Path, answer) -> None:
    with pytest.raises(GoldenMismatch):
        replay_golden(load_bundle(folder), lambda _: answer)


def test_an_altered_graph_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"graph!")
    with pytest.raises(BundleInvalid, match="sha256"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["model.onnx", "model.json", "golden.json", "README.md"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleInvalid, match=name):
        load_bundle(folder)


def test_an_unknown_field_is_refused(folder: Path) -> None:
    meta = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**meta, "colour_order": "bgr"}))
    with pytest.raises(BundleInvalid, match="colour_order"):
        load_bundle(folder)


def test_versions_cannot_climb_out_of_the_registry() -> None:
    with pytest.raises(ValueError, match="version"):
        BundleMeta.model_validate({**META, "version": "../../etc", "sha256": "0" * 64})
