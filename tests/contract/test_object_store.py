"""What every ObjectStore promises."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.common.errors import ObjectMissing
from services.common.ports import ObjectStore

HOSTILE_KEYS = [
    "../outside",
    "a/../../outside",
    "/etc/passwd",
    "",
    "a//b",
    "a/",
    ".hidden",
    "a\\b",
    "a\0b",
    "é",
    "a" * 2000,
]


def test_an_object_comes_back_as_it_was_put(store: ObjectStore) -> None:
    content = bytes(range(256)) * 5000
    store.put("jobs/1/original", content)
    assert store.get("jobs/1/original") == content
    assert b"".join(store.stream("jobs/1/original")) == content
    assert store.exists("jobs/1/original")


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"")
    assert store.exists("empty")
    assert store.get("empty") == b"" and list(store.stream("empty")) == []


def test_a_put_replaces(store: ObjectStore) -> None:
    store.put("models/detector/current", b"first, and longer")
    store.put("models/detector/current", b"second", durable=False)
    assert store.get("models/detector/current") == b"second"


def test_a_missing_object_is_said_to_be_missing(store: ObjectStore) -> None:
    store.put("jobs/1/original", b"x")
    for key in ("jobs/1/face-0", "jobs/1", "jobs/1/original/deeper", "elsewhere"):
        assert not store.exists(key)
        with pytest.raises(ObjectMissing):
            store.get(key)
        # Before the first chunk: by then headers may be on their way.
        with pytest.raises(ObjectMissing):
            store.stream(key)


def test_a_store_nobody_has_written_to_is_empty(store: ObjectStore) -> None:
    assert list(store.keys("")) == []
    assert not store.exists("jobs/1/original")
    store.delete("jobs/1/original")
    store.delete_prefix("jobs/1/")
    with pytest.raises(ObjectMissing):
        store.get("jobs/1/original")


def test_keys_are_those_of_the_prefix_sorted(store: ObjectStore) -> None:
    for key in ("jobs/2/b", "jobs/1/face-10", "jobs/1/face-2", "jobs/10/a", "models/x"):
        store.put(key, b"x", durable=False)
    assert list(store.keys("jobs/1/")) == ["jobs/1/face-10", "jobs/1/face-2"]
    assert list(store.keys("jobs/1")) == ["jobs/1/face-10", "jobs/1/face-2", "jobs/10/a"]
    assert list(store.keys("")) == ["jobs/1/face-10", "jobs/1/face-2", "jobs/10/a", "jobs/2/b", "models/x"]
    assert list(store.keys("none/")) == []


def test_more_keys_than_a_server_lists_at_once(store: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.put(f"jobs/1/face-{n}", b"x", durable=False), range(1005)))
    assert len(list(store.keys("jobs/1/"))) == 1005
    store.delete_prefix("jobs/1/")
    assert list(store.keys("")) == []


def test_deleting_a_prefix_leaves_its_neighbours(store: ObjectStore) -> None:
    for key in ("jobs/1/original", "jobs/1/face-0", "jobs/10/original"):
        store.put(key, b"x", durable=False)
    store.delete_prefix("jobs/1/")
    store.delete_prefix("jobs/1/")
    assert list(store.keys("")) == ["jobs/10/original"]


def test_deleting_twice_is_fine(store: ObjectStore) -> None:
    store.put("jobs/1/original", b"x", durable=False)
    store.delete("jobs/1/original")
    store.delete("jobs/1/original")
    assert not store.exists("jobs/1/original")


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        store.put(key, b"x")
    with pytest.raises(ValueError, match="not an object key"):
        store.delete(key)
    assert not store.exists(key)
    with pytest.raises(ObjectMissing):
        store.get(key)
    with pytest.raises(ObjectMissing):
        store.stream(key)


@pytest.mark.parametrize("prefix", ["", "../", "/", "jobs//"])
def test_nothing_is_deleted_by_a_prefix_that_is_none(store: ObjectStore, prefix: str) -> None:
    store.put("jobs/1/original", b"x", durable=False)
    with pytest.raises(ValueError, match="prefix"):
        store.delete_prefix(prefix)
    assert store.exists("jobs/1/original")


def test_a_reader_sees_one_whole_version(store: ObjectStore) -> None:
    versions = [bytes([number]) * 200_000 for number in range(4)]
    store.put("current", versions[0])
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            store.put("current", versions[number % 4], durable=False)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        seen = [store.get("current") for _ in range(40)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert all(content in versions for content in seen)


def test_putting_while_a_neighbour_is_deleted(store: ObjectStore) -> None:
    def churn(number: int) -> None:
        for _ in range(25):
            store.put(f"jobs/1/face-{number}", b"x", durable=False)
            store.delete(f"jobs/1/face-{number}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(churn, range(4)))
    assert list(store.keys("")) == []


def test_a_stream_given_up_half_way_does_no_harm(store: ObjectStore) -> None:
    store.put("large", b"x" * 2_000_000, durable=False)
    for _ in range(40):
        next(iter(store.stream("large")))
    assert store.get("large") == b"x" * 2_000_000


def test_ping(store: ObjectStore) -> None:
    store.ping()
    store.ping()
