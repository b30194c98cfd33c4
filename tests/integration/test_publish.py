"""`trainer detector publish` against a real object store, and a worker's model that moves to what was published."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.common.bootstrap import build_store
from services.common.inference.bundle import BUNDLE_FILES
from services.common.settings import Settings
from services.common.work.model_slot import ModelSlot
from services.detector.stage import DetectorStage
from tests.photos import astronaut_rgb
from tests.servers import S3Server

SHIPPED = DetectorStage.bundle_folders["detector"]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The shipped bundle under a version of its own."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in BUNDLE_FILES:
        shutil.copyfile(SHIPPED / name, folder / name)
    meta = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**meta, "version": "2099.1"}))
    return folder


def publish(bundle: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer", "detector", "publish", "--bundle", str(bundle)]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_published_bundle_takes_over_in_a_worker(newer: Path, s3_server: S3Server) -> None:
    environment = {
        "FACEKIT_STORE_URL": "s3://published-models",
        "FACEKIT_S3_ENDPOINT": s3_server.endpoint,
        "FACEKIT_S3_ACCESS_KEY": s3_server.access_key,
        "FACEKIT_S3_SECRET_KEY": s3_server.secret_key,
    }
    settings = Settings(
        store_url="s3://published-models",
        s3_endpoint=s3_server.endpoint,
        s3_access_key=s3_server.access_key,
        s3_secret_key=s3_server.secret_key,  # type: ignore[arg-type]
        follow_registry=True,
        threads=1,
    )
    store = build_store(settings)
    slot = ModelSlot(DetectorStage(), store, settings)
    before = slot.current.bundles["detector"].meta.version
    assert slot.refresh() is False, "nothing is published yet"

    done = publish(newer, environment)
    assert done.returncode == 0, done.stderr
    assert "yolov8n-face@2099.1" in done.stdout
    assert slot.refresh() is True
    assert slot.current.bundles["detector"].meta.version == "2099.1" != before
    assert len(slot.current.model.detect(astronaut_rgb())) == 1


def test_an_altered_bundle_is_not_published(newer: Path, tmp_path: Path) -> None:
    with (newer / "model.onnx").open("ab") as graph:
        graph.write(b"altered")
    done = publish(newer, {"FACEKIT_STORE_URL": f"file://{tmp_path / 'objects'}"})
    assert done.returncode == 1
    assert done.stderr.strip().endswith("model.onnx does not have the sha256 that model.json names")
    assert not list((tmp_path).glob("objects/**/current"))


def test_a_store_that_does_not_answer_is_told_in_a_line(newer: Path) -> None:
    done = publish(newer, {"FACEKIT_STORE_URL": "s3://nowhere", "FACEKIT_S3_ENDPOINT": "127.0.0.1:9"})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr
