"""The public layouts become labels, chips and a split that leaks nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.inference.boxes import ARCFACE_TEMPLATE_XY, CHIP_SIZE_PX, align_face
from tests.unit.trainer.attributes.tiny_sets import make_fairface, make_fer2013, make_utkface, picture
from trainer.attributes.chips import GAP_PX, TILE_PX, cut_chip, find_landmarks, usual_landmarks
from trainer.attributes.fairface import read_fairface, read_utkface
from trainer.attributes.fer2013 import prepare_emotion
from trainer.attributes.labels import EMOTIONS, ETHNICITIES, UNKNOWN, age_bin, fairface_age_bin
from trainer.attributes.prepare import prepare_faces
from trainer.attributes.split import held_out, picture_key


@dataclass
class Found:
    boxes_xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]


class SquareFinder:
    """Finds one face in each tile of a sheet that is brighter than the gap, at the template's place; `seen` counts
    the pictures it was shown."""

    seen = 0

    def detect(self, image_rgb: NDArray[np.uint8], *, min_confidence: float | None = None) -> Found:
        self.seen += 1
        pitch = TILE_PX + GAP_PX
        corners = [
            (column * pitch + GAP_PX // 2, row * pitch + GAP_PX // 2)
            for row in range(image_rgb.shape[0] // pitch)
            for column in range(image_rgb.shape[1] // pitch)
        ]
        full = [
            (left, top)
            for left, top in corners
            if not (image_rgb[top : top + TILE_PX, left : left + TILE_PX] == 114).all()
        ]
        boxes = np.array([[left + 10, top + 10, left + 100, top + 100] for left, top in full], dtype=np.float32)
        marks = np.array([ARCFACE_TEMPLATE_XY + np.array(corner) for corner in full], dtype=np.float32)
        return Found(boxes.reshape(-1, 4), np.ones(len(full), np.float32), marks.reshape(-1, 5, 2))


def test_fairface_labels_become_deepfaces(tmp_path: Path) -> None:
    pictures = read_fairface(make_fairface(tmp_path / "fairface"))
    assert len(pictures) == 36
    assert [p.age_bin for p in pictures[:9]] == list(range(9))
    by_group = {ETHNICITIES[p.ethnicity] for p in pictures}
    assert by_group == set(ETHNICITIES), "East and Southeast Asian are one"
    assert pictures[0].gender == 1, "Woman is 0, Man 1, as DeepFace has them"
    assert all(p.age_years == UNKNOWN for p in pictures)


def test_utkface_names_are_labels(tmp_path: Path) -> None:
    pictures = read_utkface(make_utkface(tmp_path / "utkface"))
    assert len(pictures) == 24, "a name without a part, and an age above 100, are left out"
    first = next(p for p in pictures if p.file.name.startswith("4_1_1_"))
    assert (first.age_years, first.gender, ETHNICITIES[first.ethnicity]) == (4, 0, "black")
    other = next(p for p in pictures if p.file.name.split("_")[2] == "4")
    assert other.ethnicity == UNKNOWN


@pytest.mark.parametrize(("label", "index"), [("0-2", 0), ("20-29", 3), ("more than 70", 8)])
def test_age_bins(label: str, index: int) -> None:
    assert fairface_age_bin(label) == index


def test_ages_fall_into_bins() -> None:
    assert [age_bin(age) for age in (0, 2.9, 3, 19.99, 20, 69, 70, 100)] == [0, 0, 1, 2, 3, 7, 8, 8]
    with pytest.raises(ValueError, match="age bin"):
        fairface_age_bin("21-22")


def test_copies_of_a_picture_stay_on_one_side() -> None:
    pictures = [picture(seed, 112) for seed in range(40)]
    keys = [picture_key(p) for p in pictures] * 2
    mask = held_out(keys, 20, seed=7)
    assert 20 <= mask.sum() <= 21
    assert (mask[:40] == mask[40:]).all()
    assert (held_out(keys, 20, seed=7) == mask).all()
    assert not (held_out(keys, 20, seed=8) == mask).all()


def test_faces_are_prepared_as_serving_cuts_them(tmp_path: Path) -> None:
    fairface, utkface = make_fairface(tmp_path / "fairface"), make_utkface(tmp_path / "utkface")
    finder = SquareFinder()
    counts = prepare_faces(fairface, utkface, tmp_path / "data", finder, held_out_count=6, seed=7)
    assert counts["aligned"] == 60
    assert finder.seen == 3, "twenty-five pictures a sheet"
    chips, rows = np.load(tmp_path / "data" / "chips.npy"), np.load(tmp_path / "data" / "faces.npz")
    assert chips.shape == (60, CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    for source in ("fairface", "utkface"):
        assert rows["held_out"][rows["source"] == source].sum() >= 6
    stored = cv2.cvtColor(cv2.imread(str(fairface / "train" / "0.jpg")), cv2.COLOR_BGR2RGB)
    served = align_face(stored, ARCFACE_TEMPLATE_XY)
    core = slice(26, 134)  # inside the picture: around it serving has the photo's context, a cut picture its mirror
    np.testing.assert_allclose(chips[0, core, core].astype(int), served[core, core].astype(int), atol=2)


def test_a_face_that_is_not_found_is_framed_as_its_set_usually_is(tmp_path: Path) -> None:
    fairface, utkface = make_fairface(tmp_path / "fairface"), make_utkface(tmp_path / "utkface")
    counts = prepare_faces(fairface, utkface, tmp_path / "data", None, held_out_count=6, seed=7)
    assert (counts["aligned"], counts["not_found"]) == (0, 60)
    image = cv2.cvtColor(cv2.imread(str(fairface / "train" / "3.jpg")), cv2.COLOR_BGR2RGB)
    chip = np.load(tmp_path / "data" / "chips.npy")[3]
    np.testing.assert_array_equal(chip, cut_chip(image, usual_landmarks("fairface", image)))


def test_landmarks_come_back_in_the_pictures_own_pixels() -> None:
    pictures = [picture(1, 224), picture(2, 48)]
    large, small = find_landmarks(pictures, SquareFinder())
    np.testing.assert_allclose(large, ARCFACE_TEMPLATE_XY * 2, atol=1e-3)
    np.testing.assert_allclose(small, ARCFACE_TEMPLATE_XY * 48 / 112, atol=1e-3)


def test_emotions_are_numbered_as_deepface_does(tmp_path: Path) -> None:
    folder = make_fer2013(tmp_path / "fer2013")
    counts = prepare_emotion(folder, tmp_path / "data", SquareFinder(), held_out_count=10, seed=7)
    assert counts["training"] + counts["held_out"] == counts["aligned"] == 42
    stored = np.load(tmp_path / "data" / "emotion.npz")
    for name, index in zip(stored["names"], stored["classes"], strict=True):
        assert name.startswith(EMOTIONS[index] + "/")
    assert stored["aligned"].shape == stored["pixels"].shape == (42, 48, 48)
    shutil.rmtree(folder / "train" / "fear")
    with pytest.raises(FileNotFoundError, match="fear"):
        prepare_emotion(folder, tmp_path / "data", None, held_out_count=10, seed=7)
