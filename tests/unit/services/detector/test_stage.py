"""The detector's work on a verification: both photos at once, and nothing still under way when it ends."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.adapters.folder_store import FolderStore
from services.common.errors import NoFaceInAnchor
from services.common.flows.outputs import Outputs
from services.common.inference.bundle import load_bundle
from services.common.jobs import new_job_id
from services.common.kinds.verification import KIND
from services.common.settings import Settings
from services.common.stages.detector import STAGE, FindFaces
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

    def __call__(self, picture: NDArray[np.uint8]) -> Answer:
        self.under_way += 1
        if threading.get_ident() not in self._met:
            self._met.add(threading.get_ident())
            self._both.wait(timeout=30)
            # The second photo's thread is the slower one: it must be waited for.
            time.sleep(self._look_s if threading.current_thread() is threading.main_thread() else self._look_s * 1.5)
        answer = self._engine.run(picture)
        self.under_way -= 1
        return answer


@pytest.fixture(scope="module")
def stage() -> DetectorStage:
    return DetectorStage()


@pytest.fixture(scope="module")
def model(stage: DetectorStage) -> FaceDetector:
    bundle = load_bundle(DetectorStage.bundle_folders["detector"])
    return stage.build({"detector": bundle}, Settings(detector_engine="onnxruntime", threads=1))


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
    side_by_side, _ = meeting(model, look_s=2.0)
    outcome = stage.run(side_by_side, asked, files)
    found = outcome.given.photos
    assert found["anchor"].photo.width == 512 and found["original"].photo.width == 660
    assert len(found["original"].faces) == 3 and files.get_chips().shape == (4, 160, 160, 3)
    assert all(files.get(name) for name in ("anchor-face", "face-0", "face-1", "face-2"))
    assert 3000 <= outcome.model_ms < 5000, "time in which both are looked at counts once"


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
