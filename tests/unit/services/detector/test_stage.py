"""The detector's work when asked: within the limits asked for, upright, both photos of a verification at once."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.common.adapters.folder_store import FolderStore
from services.common.errors import NoFaceInAnchor, ObjectMissing
from services.common.flows.outputs import Outputs
from services.common.inference.bundle import load_bundle
from services.common.jobs import new_job_id
from services.common.kinds.verification import KIND
from services.common.photos.imaging import decode
from services.common.schemas import Face
from services.common.settings import Settings
from services.common.stages.detector import STAGE, FindFaces, PhotoToSearch
from services.common.work.job_files import JobFiles
from services.detector.engines import Engine
from services.detector.model import FaceDetector
from services.detector.stage import DetectorStage
from tests import photos

Answer = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class MeetingGraph:
    """A graph that answers the first look of two threads only once both have asked, and takes its time over it."""

    def __init__(self, engine: Engine, look_s: float) -> None:
        self._engine, self._look_s = engine, look_s
        self._both = threading.Barrier(2)
        self._met: set[int] = set()
        self.under_way = 0
        self.worked_s: list[float] = []

    def __call__(self, picture: NDArray[np.uint8]) -> Answer:
        self.under_way += 1
        began = time.perf_counter()
        if threading.get_ident() not in self._met:
            self._met.add(threading.get_ident())
            self._both.wait(timeout=30)
            # The second photo's thread is the slower one: it must be waited for.
            time.sleep(self._look_s if threading.current_thread() is threading.main_thread() else self._look_s * 1.5)
        answer = self._engine.run(picture)
        self.worked_s.append(time.perf_counter() - began)
        self.under_way -= 1
        return answer


@pytest.fixture(scope="module")
def stage() -> DetectorStage:
    return DetectorStage()


@pytest.fixture(scope="module")
def model(stage: DetectorStage) -> FaceDetector:
    bundle = load_bundle(DetectorStage.bundle_folders["detector"])
    return stage.build({"detector": bundle}, Settings(detector_engine="onnxruntime", threads=1))


def searched(folder: Path, stage: DetectorStage, model: FaceDetector, photo: bytes, **limits: float) -> list[Face]:
    """The faces of one photo, looked for as a detection does."""
    files = JobFiles(FolderStore(folder), new_job_id())
    files.put("original", photo)
    asked = FindFaces.model_validate({"photos": [PhotoToSearch(name="original")], **limits})
    found = stage.run(model, asked, files).given.photos["original"]
    assert found.count == len(found.faces)
    with pytest.raises(ObjectMissing):
        files.get_chips()  # nobody wanted them
    return list(found.faces)


def test_the_confidence_asked_for_decides_what_is_a_face(
    tmp_path: Path, stage: DetectorStage, model: FaceDetector
) -> None:
    photo = photos.one_face()
    unsure, usual, sure = (
        searched(tmp_path, stage, model, photo, **asked)
        for asked in ({"min_confidence": 0.01}, {}, {"min_confidence": 1.0})
    )
    assert len(unsure) > len(usual) == 1 and sure == []
    assert 0.01 <= min(face.confidence for face in unsure) < model.default_confidence <= usual[0].confidence


def test_of_too_many_faces_the_largest_are_told(tmp_path: Path, stage: DetectorStage, model: FaceDetector) -> None:
    photo = photos.jpeg(photos.crowd_rgb(1, 3, 220))
    every = searched(tmp_path, stage, model, photo)
    assert len(every) == 3
    few = searched(tmp_path, stage, model, photo, max_faces=2)
    assert [face.box for face in few] == [face.box for face in every[:2]]


def test_a_photo_taken_sideways_is_told_and_cropped_upright(
    tmp_path: Path, stage: DetectorStage, model: FaceDetector
) -> None:
    upright = photos.astronaut_rgb()[:400]
    turned = photos.jpeg(np.ascontiguousarray(np.rot90(upright)), orientation=6)
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    files.put("original", turned)
    found = stage.run(model, FindFaces(photos=[PhotoToSearch(name="original")]), files).given.photos["original"]
    assert (found.photo.width, found.photo.height) == (512, 400) and found.photo.url.endswith("/original")
    (only,) = found.faces
    assert only.landmarks.left_eye[1] < only.landmarks.nose[1] < only.landmarks.left_mouth[1]
    crop = decode(files.get("face-0"), max_pixels=10**6)
    assert only.crop_url.endswith("/images/face-0") and crop.shape[0] > crop.shape[1] > only.box.width


def test_a_photo_that_browsers_cannot_show_gets_a_preview(
    tmp_path: Path, stage: DetectorStage, model: FaceDetector
) -> None:
    heic = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(photos.astronaut_rgb())).save(heic)
    asked, files = verification(tmp_path, heic.getvalue(), heic.getvalue())
    found = stage.run(model, asked, files).given.photos
    for name, preview in (("anchor", "anchor-preview"), ("original", "preview")):
        assert found[name].photo.url.endswith(f"/images/{preview}")
        assert decode(files.get(preview), max_pixels=10**6).shape == (512, 512, 3)


def verification(folder: Path, anchor: bytes, photo: bytes) -> tuple[FindFaces, JobFiles]:
    files = JobFiles(FolderStore(folder), new_job_id())
    files.put("anchor", anchor)
    files.put("original", photo)
    asked = KIND.step("detector").asks(KIND.options(), Outputs())
    assert isinstance(asked, FindFaces)
    return asked, files


def meeting(model: FaceDetector, look_s: float) -> tuple[FaceDetector, MeetingGraph]:
    graph = MeetingGraph(model.engine, look_s)
    return FaceDetector(model.bundle, 1, engine=Engine("meeting", graph)), graph


def test_photos_are_looked_at_side_by_side(tmp_path: Path, stage: DetectorStage, model: FaceDetector) -> None:
    asked, files = verification(tmp_path, photos.one_face(), photos.jpeg(photos.crowd_rgb(1, 3, 220)))
    side_by_side, graph = meeting(model, look_s=2.0)
    outcome = stage.run(side_by_side, asked, files)
    found = outcome.given.photos
    assert found["anchor"].photo.width == 512 and found["original"].photo.width == 660
    assert len(found["original"].faces) == 3 and files.get_chips().shape == (4, 160, 160, 3)
    assert all(files.get(name) for name in ("anchor-face", "face-0", "face-1", "face-2"))
    assert 3000 <= outcome.model_ms < 1000 * sum(graph.worked_s), "time in which both are looked at counts once"


def test_an_anchor_without_a_face_waits_for_the_second_photo(
    tmp_path: Path, stage: DetectorStage, model: FaceDetector
) -> None:
    asked, files = verification(tmp_path, photos.no_face(), photos.one_face())
    side_by_side, graph = meeting(model, look_s=1.0)
    given = stage.run(side_by_side, asked, files).given
    outputs = Outputs()
    outputs[STAGE] = given
    with pytest.raises(NoFaceInAnchor):
        KIND.step("detector").accepts(outputs)
    assert graph.under_way == 0
