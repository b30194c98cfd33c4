"""dlib's file is read as dlib reads it; what is no such file is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from tests.unit.trainer.verifier.dlib_file import dlib_file  # noqa: E402
from trainer.verifier.dlib_tower import DlibTower, fill, normalise_dlib, tower_of  # noqa: E402
from trainer.verifier.pretrained import WeightsMissing, find_weights, read_weights  # noqa: E402
from trainer.verifier.sface import find_sface  # noqa: E402

pytestmark = pytest.mark.trainer

# The first values that dlib 20.0.1 itself answers to a picture of 150 x 150 whose pixel (row, column, channel) is
# (3 * row + 5 * column + 70 * channel) modulo 256.
GOLDEN = [-0.08712, 0.16288, 0.06151, -0.0285, -0.07085, -0.03539, -0.06642, 0.01508]


def picture() -> np.ndarray:
    row, column, channel = np.ogrid[:150, :150, :3]
    return ((3 * row + 5 * column + 70 * channel) % 256).astype(np.float32)


def test_a_file_in_dlibs_format_fills_the_tower(tmp_path: Path) -> None:
    (tmp_path / "made.dat").write_bytes(dlib_file())
    weights = read_weights(tmp_path / "made.dat")
    assert len(weights.convolutions) == 29 and weights.head.shape == (256, 128)
    assert [layer.stride for layer in weights.convolutions].count(2) == 5
    tower = DlibTower()
    fill(tower, weights)
    answer = tower(normalise_dlib(torch.from_numpy(picture()).permute(2, 0, 1)[None]))
    assert answer.shape == (1, 128) and torch.isfinite(answer).all() and answer.abs().max() > 1e-3


def test_the_learned_part_stands_beside_the_own_one_with_its_share() -> None:
    torch.manual_seed(1)
    tower = DlibTower(learned=16, shares=(1.0, 2.0)).eval()
    answer = tower(torch.rand(2, 3, 150, 150))
    assert answer.shape == (2, 128 + 16)
    torch.testing.assert_close(answer[:, :128].norm(dim=1), torch.ones(2))
    torch.testing.assert_close(answer[:, 128:].norm(dim=1), torch.full((2,), 2.0))
    again = tower_of(tower.state_dict()).eval()
    torch.testing.assert_close(again(torch.ones(1, 3, 150, 150)), tower(torch.ones(1, 3, 150, 150)))


def test_frozen_blocks_get_no_gradients_and_answer_the_same(tmp_path: Path) -> None:
    (tmp_path / "made.dat").write_bytes(dlib_file())
    tower = DlibTower()
    fill(tower, read_weights(tmp_path / "made.dat"))
    x = normalise_dlib(torch.from_numpy(picture()).permute(2, 0, 1)[None])
    torch.testing.assert_close(tower(x, frozen=7), tower(x))
    tower(x, frozen=7).sum().backward()
    assert tower.blocks[6].second.weight.grad is None and tower.blocks[7].first.weight.grad is not None


@pytest.mark.parametrize("content", [b"", b"con_4 and nothing more", dlib_file()[:-140_000]])
def test_another_file_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.dat").write_bytes(content)
    with pytest.raises(WeightsMissing, match=r"other.dat does not hold dlib's face network"):
        read_weights(tmp_path / "other.dat")


def test_without_the_packages_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for find in (find_weights, find_sface):
        with pytest.raises(WeightsMissing, match=r"pretrained\.txt"):
            find()


def test_dlibs_own_weights_answer_as_dlib_does() -> None:
    try:
        file = find_weights()
    except WeightsMissing:
        pytest.skip("face_recognition_models is not installed: dlib's own weights are not checked")
    tower = DlibTower().eval()
    fill(tower, read_weights(file))
    with torch.inference_mode():
        answer = tower.parts(normalise_dlib(torch.from_numpy(picture()).permute(2, 0, 1)[None]))[0][0]
    np.testing.assert_allclose(answer[: len(GOLDEN)].numpy(), GOLDEN, atol=2e-5)
