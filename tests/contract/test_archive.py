"""The archive of an object store: everything comes back as it was, and nothing else is left."""

from __future__ import annotations

import io
import tarfile

import pytest

from services.common.errors import ObjectMissing
from services.common.ports import ObjectStore
from services.gateway import archive
from services.gateway.archive import ArchiveInvalid

OBJECTS = {"jobs/1/original": bytes(range(256)) * 5000, "jobs/1/face-0": b"", "models/detector/current": b"2026.1"}


def test_a_store_is_again_what_it_was(store: ObjectStore) -> None:
    for key, content in OBJECTS.items():
        store.put(key, content)
    saved = io.BytesIO()
    assert archive.save(store, saved) == len(OBJECTS)
    store.delete("jobs/1/original")
    store.put("models/detector/current", b"2026.2")
    store.put("jobs/2/original", b"later")
    saved.seek(0)
    assert archive.load(store, saved) == len(OBJECTS)
    assert {key: store.get(key) for key in store.keys("")} == OBJECTS


def test_an_archive_that_is_cut_off_removes_nothing(store: ObjectStore) -> None:
    store.put("jobs/1/original", bytes(100_000))
    saved = io.BytesIO()
    archive.save(store, saved)
    store.put("jobs/2/original", b"later")
    with pytest.raises(ArchiveInvalid):
        archive.load(store, io.BytesIO(saved.getvalue()[:50_000]))
    assert store.get("jobs/2/original") == b"later"


def test_an_archive_of_something_else_is_refused(store: ObjectStore) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(ArchiveInvalid, match="outside"):
        archive.load(store, io.BytesIO(made.getvalue()))
    with pytest.raises(ArchiveInvalid):
        archive.load(store, io.BytesIO(b"no tar at all" * 100))
    with pytest.raises(ObjectMissing):
        store.get("outside")
