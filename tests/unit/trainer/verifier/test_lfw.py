"""LFW in the layouts and pairs files that users download."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.verifier.lfw import Photo, find_photos, read_pairs


@pytest.mark.parametrize("below", ["", "lfw-deepfunneled", "lfw-deepfunneled/lfw-deepfunneled"])
def test_photos_are_found_in_every_published_layout(tmp_path: Path, below: str) -> None:
    folder = tmp_path / below / "Abba_Eban"
    folder.mkdir(parents=True)
    (folder / "Abba_Eban_0001.jpg").touch()
    (folder / "Abba_Eban_0012.jpg").touch()
    (folder / "notes.txt").touch()
    assert [(photo.person, photo.number) for photo in find_photos(tmp_path)] == [("Abba_Eban", 1), ("Abba_Eban", 12)]
    assert all((tmp_path / photo.path).is_file() for photo in find_photos(tmp_path))


def test_a_folder_without_photos_is_an_error_not_an_empty_set(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no LFW photos"):
        find_photos(tmp_path)


def test_official_pairs_with_folds(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nA_B\t1\t4\nC_D\t1\tE_F\t2\nG_H\t2\t3\nI_J\t1\tK_L\t1\n")
    pairs = read_pairs(path)
    assert [pair.fold for pair in pairs] == [0, 0, 1, 1]
    assert [pair.same for pair in pairs] == [True, False, True, False]
    assert pairs[1].first == ("C_D", 1) and pairs[1].second == ("E_F", 2)


@pytest.mark.parametrize("head", ["1100\n", ""])
def test_view_1_pairs_with_and_without_their_count_line(tmp_path: Path, head: str) -> None:
    path = tmp_path / "pairsDevTrain.txt"
    path.write_text(head + "A_B\t1\t4\nC_D\t1\tE_F\t2\n")
    assert len(read_pairs(path)) == 2


def test_kaggle_csv_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("name,imagenum1,imagenum2,\nA_B,1,4,\nC_D,1,E_F,2\n")
    assert [pair.same for pair in read_pairs(path)] == [True, False]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("A_B\t1\t4\nnonsense here\n")
    with pytest.raises(ValueError, match=r"pairs\.txt:2"):
        read_pairs(path)


def test_photos_sort_by_person_and_number() -> None:
    assert sorted([Photo("B", 1, "b"), Photo("A", 2, "a2"), Photo("A", 1, "a1")])[0].path == "a1"
