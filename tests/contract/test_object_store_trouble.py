"""What object stores say when the disk is full, the folder is gone or the server does not answer."""

from __future__ import annotations

import errno
import os
import resource
import time
from pathlib import Path

import pytest

from services.common.adapters import folder_store
from services.common.adapters.folder_store import FolderStore
from services.common.adapters.minio_store import MinioStore
from services.common.errors import StorageFull, Unavailable
from tests.servers import S3Server, free_port


def test_a_full_disk_is_storage_full_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)

    def no_space(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder_store, "sync_content", no_space)
    with pytest.raises(StorageFull, match="No space left"):
        store.put("jobs/1/original", b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_the_system_cuts_short_is_never_seen(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("jobs/1/original", b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(StorageFull):
            store.put("jobs/1/original", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.get("jobs/1/original") == b"before"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["original"]


def test_folders_go_with_their_last_object(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("jobs/1/original", b"x", durable=False)
    store.put("jobs/2/original", b"x", durable=False)
    store.delete_prefix("jobs/1/")
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["2"]


def test_what_a_killed_process_left_is_cleared_and_never_listed(tmp_path: Path) -> None:
    FolderStore(tmp_path)
    old, young = tmp_path / ".partial" / "old", tmp_path / ".partial" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert list(FolderStore(tmp_path).keys("")) == []
    assert not old.exists() and young.exists()


def test_a_folder_that_is_gone_does_not_answer(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    (tmp_path / "objects" / ".partial").rmdir()
    (tmp_path / "objects").rmdir()
    with pytest.raises(Unavailable):
        store.ping()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot use"):
        FolderStore(tmp_path / "file" / "objects")


def test_a_server_that_is_down_is_unavailable_and_soon() -> None:
    store = MinioStore(f"127.0.0.1:{free_port()}", "facekit", access_key="a", secret_key="b" * 8)
    started = time.monotonic()
    for call in (
        store.ping,
        lambda: store.put("key", b"x"),
        lambda: store.get("key"),
        lambda: store.stream("key"),
        lambda: store.exists("key"),
        lambda: list(store.keys("")),
        lambda: store.delete("key"),
        lambda: store.delete_prefix("jobs/"),
    ):
        with pytest.raises(Unavailable):
            call()
    assert time.monotonic() - started < 10
    store.close()


def test_the_bucket_is_made_by_whoever_comes_first(s3_server: S3Server) -> None:
    def connect() -> MinioStore:
        return MinioStore(
            s3_server.endpoint, "made-once", access_key=s3_server.access_key, secret_key=s3_server.secret_key
        )

    first, second = connect(), connect()
    first.ping()
    second.put("key", b"x")
    assert first.get("key") == b"x"
    first.close()
    second.close()
