"""A small LFW of drawn people: each has a face of their own, each photo another light, tilt and place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

PHOTO_PX = 180
CENTRE_XY = (90, 92)


def draw_person(person: int, photo: int) -> NDArray[np.uint8]:
    """A photo (180, 180, 3) RGB; the same person looks alike but never the same."""
    look, day = np.random.default_rng(person), np.random.default_rng((person, photo))
    skin, hair, shirt = (tuple(int(v) for v in look.integers(40, 240, 3)) for _ in range(3))
    eye_gap, face_width = int(look.integers(16, 26)), int(look.integers(38, 54))
    mouth, nose = int(look.integers(8, 20)), int(look.integers(4, 12))
    image = np.full((PHOTO_PX, PHOTO_PX, 3), day.integers(30, 220, 3), dtype=np.uint8)
    x, y = CENTRE_XY
    cv2.rectangle(image, (20, 150), (160, 180), shirt, -1)
    cv2.ellipse(image, (x, y - 12), (face_width + 8, 66), 0, 0, 360, hair, -1)
    cv2.ellipse(image, (x, y + 6), (face_width, 58), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        cv2.circle(image, (x + side * eye_gap, y - 12), 6, (250, 250, 250), -1)
        cv2.circle(image, (x + side * eye_gap, y - 12), 3, hair, -1)
    cv2.circle(image, (x, y + 8), nose, tuple(int(v * 0.7) for v in skin), -1)
    cv2.line(image, (x - mouth, y + 32), (x + mouth, y + 32), (160, 40, 50), 4)
    turn = cv2.getRotationMatrix2D(CENTRE_XY, float(day.uniform(-6, 6)), float(day.uniform(0.95, 1.05)))
    image = cv2.warpAffine(image, turn, (PHOTO_PX, PHOTO_PX), borderMode=cv2.BORDER_REPLICATE)
    light = image * day.uniform(0.8, 1.15) + day.normal(0, 6, image.shape)
    return np.clip(light, 0, 255).astype(np.uint8)


def write_lfw(root: Path, people: int, photos: int, singles: int) -> Path:
    for person in range(people + singles):
        folder = root / "lfw-deepfunneled" / f"Person_{person:03d}"
        folder.mkdir(parents=True)
        for number in range(1, (photos if person < people else 1) + 1):
            pixels = cv2.cvtColor(draw_person(person, number), cv2.COLOR_RGB2BGR)
            assert cv2.imwrite(str(folder / f"Person_{person:03d}_{number:04d}.jpg"), pixels)
    return root


@pytest.fixture(scope="session")
def drawn_lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 people with five photos, 10 with one."""
    return write_lfw(tmp_path_factory.mktemp("lfw"), people=40, photos=5, singles=10)


def write_fairface(root: Path, each: int) -> Path:
    """`each` drawn faces of two groups in one age band, as FairFace is laid out, with a spreadsheet's ages."""
    (root / "train").mkdir(parents=True)
    lines = ["file,age,gender,race,service_test"]
    for group, (gender, race) in enumerate((("Female", "East Asian"), ("Male", "Latino_Hispanic"))):
        for number in range(each):
            name = f"train/{group * each + number}"
            face = draw_person(1000 * group + number, 1)[10:170, 12:172]
            assert cv2.imwrite(str(root / f"{name}.png"), cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
            lines.append(f"{name}.jpg,{('20-29', '03-Sep')[number % 20 == 0]},{gender},{race},FALSE")
    (root / "fairface_label_train.csv").write_text("\n".join([*lines, "train/99999.jpg,20-29,Male,White,TRUE"]) + "\n")
    return root
