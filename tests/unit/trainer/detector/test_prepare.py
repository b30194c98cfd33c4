"""WIDER FACE in, labels out: what is kept, what is ignored, and that nothing disappears uncounted."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")

from trainer.detector.prepare import prepare
from trainer.detector.widerface import read_annotations

ANNOTATIONS = """\
0--Parade/0_Parade_a_1.jpg
5
10 20 30 40 0 0 0 0 0 0
50 20 30 40 0 0 0 1 0 0
5 5 0 12 0 0 0 0 0 0
90 80 40 40 0 0 0 0 0 0
20 70 1 9 0 0 0 0 0 0
0--Parade/0_Parade_a_2.jpg
0
0 0 0 0 0 0 0 0 0 0
0--Parade/0_Parade_gone_3.jpg
1
1 1 9 9 0 0 0 0 0 0
"""
LANDMARKS = """\
0--Parade/0_Parade_a_1.jpg
1
0 15 30 30 30 22 40 16 50 29 50
"""


@pytest.fixture
def widerface(tmp_path: Path) -> Path:
    """Two photos of 100x100, stored as PNG though the annotations say jpg, and one that is missing."""
    images = tmp_path / "wider" / "WIDER_train" / "images" / "0--Parade"
    images.mkdir(parents=True)
    for name in ("0_Parade_a_1", "0_Parade_a_2"):
        cv2.imwrite(str(images / f"{name}.png"), np.zeros((100, 100, 3), np.uint8))
    split = tmp_path / "wider" / "wider_face_split"
    split.mkdir()
    (split / "wider_face_train_bbx_gt.txt").write_text(ANNOTATIONS)
    (split / "landmarks_train.txt").write_text(LANDMARKS)
    return tmp_path / "wider"


def test_every_box_is_kept_ignored_or_counted_as_degenerate(widerface: Path, tmp_path: Path) -> None:
    counts = prepare(widerface, tmp_path / "out", ["train"])["train"]
    assert counts == {
        "photos": 2,
        "photos_missing": 1,
        "faces": 2,
        "with_landmarks": 1,
        "invalid": 1,
        "degenerate": 2,
    }
    ignored = (tmp_path / "out/train/ignore/0--Parade/0_Parade_a_1.txt").read_text().splitlines()
    assert len(ignored) == 2  # the invalid one and the one a pixel wide; the one without area is nowhere


def test_labels_are_yolo_pose_lines(widerface: Path, tmp_path: Path) -> None:
    prepare(widerface, tmp_path / "out", ["train"])
    lines = (tmp_path / "out/train/labels/0--Parade/0_Parade_a_1.txt").read_text().splitlines()
    with_points, without = ([float(v) for v in line.split()] for line in lines)
    assert with_points == pytest.approx(
        [0, 0.25, 0.4, 0.3, 0.4, 0.15, 0.3, 2, 0.3, 0.3, 2, 0.22, 0.4, 2, 0.16, 0.5, 2, 0.29, 0.5, 2]
    )
    assert without[:5] == pytest.approx([0, 0.95, 0.9, 0.1, 0.2])  # cut at the photo's border
    assert without[5:] == [0] * 15


def test_a_photo_without_faces_is_kept_with_empty_labels(widerface: Path, tmp_path: Path) -> None:
    prepare(widerface, tmp_path / "out", ["train"])
    assert (tmp_path / "out/train/labels/0--Parade/0_Parade_a_2.txt").read_text() == ""
    assert "0--Parade/0_Parade_a_2.png 100 100" in (tmp_path / "out/train/photos.txt").read_text()


def test_a_malformed_annotation_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "boxes.txt").write_text("0--Parade/a.jpg\ntwo\n1 2 3 4\n")
    with pytest.raises(ValueError, match=r"boxes\.txt.*a\.jpg.*line 1"):
        list(read_annotations(tmp_path / "boxes.txt"))


def test_a_folder_that_is_not_wider_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not hold WIDER FACE"):
        prepare(tmp_path, tmp_path / "out", ["train"])
