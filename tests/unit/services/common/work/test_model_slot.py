"""Running workers take over a published model; one that is broken is refused and the old one goes on."""

from __future__ import annotations

import gc
import logging
import tempfile
from pathlib import Path

import pytest

from services.common.bootstrap import Ports
from services.common.errors import BundleInvalid
from services.common.inference.registry import current_version, publish_bundle
from services.common.settings import Settings
from services.common.work.model_slot import ModelSlot
from tests.unit.services.common.tiny_stage import TinyStage, tiny_bundle


@pytest.fixture
def slot(ports: Ports, settings: Settings, tmp_path: Path) -> ModelSlot:
    tiny_bundle(tmp_path / "shipped", "1", factor=2)
    following = settings.model_copy(update={"follow_registry": True})
    return ModelSlot(TinyStage(tmp_path / "shipped"), ports.store, following)


def test_without_a_registry_the_shipped_bundle_serves(slot: ModelSlot) -> None:
    assert slot.current.model == ("tiny@1", 2) and not slot.refresh()


def test_a_folder_of_bundles_stands_before_the_shipped_ones(ports: Ports, settings: Settings, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "shipped", "1", factor=2)
    stage = TinyStage(tmp_path / "shipped")
    (tmp_path / "mine").mkdir()
    mine = settings.model_copy(update={"bundles": tmp_path / "mine"})
    assert ModelSlot(stage, ports.store, mine).current.model == ("tiny@1", 2), "a task it has no bundle for"
    tiny_bundle(tmp_path / "mine" / "detector", "9", factor=5)
    assert ModelSlot(stage, ports.store, mine).current.model == ("tiny@9", 5)
    with pytest.raises(BundleInvalid, match="no folder"):
        ModelSlot(stage, ports.store, settings.model_copy(update={"bundles": tmp_path / "typo"}))


def test_a_published_model_takes_over(slot: ModelSlot, ports: Ports, tmp_path: Path) -> None:
    before = slot.current
    assert publish_bundle(ports.store, tiny_bundle(tmp_path / "new", "2", factor=3)) == "tiny@2"
    assert slot.refresh() and slot.current.model == ("tiny@2", 3)
    assert before.model == ("tiny@1", 2), "a job in flight keeps the model it took"
    assert slot.current.views["detector"]["version"] == "2"
    assert not slot.refresh()


def test_a_model_that_does_not_reproduce_its_golden_outputs_is_refused_once(
    slot: ModelSlot, ports: Ports, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_bundle(ports.store, tiny_bundle(tmp_path / "bad", "3", factor=3, golden_factor=5))
    with caplog.at_level(logging.WARNING):
        assert not slot.refresh() and not slot.refresh()
    assert slot.current.model == ("tiny@1", 2)
    assert [r.message for r in caplog.records if "refused" in r.message] == [caplog.records[0].message]
    assert "tiny@3" in caplog.records[0].message
    publish_bundle(ports.store, tiny_bundle(tmp_path / "good", "4", factor=4))
    assert slot.refresh() and slot.current.model == ("tiny@4", 4)


@pytest.mark.parametrize("name", ["model.onnx", "golden.json"])
def test_a_half_published_model_is_refused(slot: ModelSlot, ports: Ports, tmp_path: Path, name: str) -> None:
    publish_bundle(ports.store, tiny_bundle(tmp_path / "new", "2", factor=3))
    ports.store.delete(f"models/detector/2/{name}")
    assert not slot.refresh() and slot.current.model == ("tiny@1", 2)


def test_a_pointer_that_is_no_version_is_refused(slot: ModelSlot, ports: Ports) -> None:
    ports.store.put("models/detector/current", b"../../jobs")
    assert not slot.refresh() and slot.current.model == ("tiny@1", 2)
    ports.store.delete("models/detector/current")
    assert current_version(ports.store, "detector") is None


def test_what_was_downloaded_goes_with_the_slot(ports: Ports, settings: Settings, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "shipped", "1", factor=2)
    publish_bundle(ports.store, tiny_bundle(tmp_path / "new", "2", factor=3))
    following = settings.model_copy(update={"follow_registry": True})
    slot = ModelSlot(TinyStage(tmp_path / "shipped"), ports.store, following)
    downloaded = slot.current.bundles["detector"].folder
    assert downloaded.is_dir() and tempfile.gettempdir() in str(downloaded)
    del slot
    gc.collect()
    assert not downloaded.exists()
