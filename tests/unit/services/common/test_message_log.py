"""The log of a queue's messages: each is taken once, in order, by whoever comes first, whoever is killed meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from services.common.adapters import message_log
from services.common.adapters.message_log import MessageLog


@pytest.fixture
def log(tmp_path: Path) -> MessageLog:
    return MessageLog(tmp_path / "queue" / "messages")


def taken(log: MessageLog) -> list[bytes]:
    return list(iter(log.take, None))


def test_first_in_first_out(log: MessageLog) -> None:
    assert log.take() is None and not len(log)
    for message in (b"one", b"", b"three" * 5000):
        log.append(message)
    assert len(log) == 3
    assert log.take() == b"one"
    log.append(b"four")
    assert len(log) == 3
    assert taken(log) == [b"", b"three" * 5000, b"four"]
    assert log.take() is None and not len(log)
    log.append(b"five")
    assert taken(log) == [b"five"]


def test_a_message_is_one_line(log: MessageLog) -> None:
    with pytest.raises(ValueError, match="one line"):
        log.append(b"one\ntwo")
    assert not len(log)


def test_cleared_it_is_empty_and_goes_on(log: MessageLog) -> None:
    log.append(b"one")
    log.clear()
    assert log.take() is None
    log.append(b"two")
    assert taken(log) == [b"two"]


def test_each_message_is_taken_once_by_threads_that_put_and_take(log: MessageLog) -> None:
    def work(writer: int) -> list[bytes]:
        mine = []
        for number in range(50):
            log.append(b"%d-%d" % (writer, number))
            mine.append(log.take())
        return [message for message in mine if message is not None]

    with ThreadPoolExecutor(8) as threads:
        found = Counter(chain(*threads.map(work, range(8)), taken(log)))
    assert found == Counter(b"%d-%d" % (writer, number) for writer in range(8) for number in range(50))


def test_what_was_taken_is_not_kept(log: MessageLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is never empty must not grow for ever."""
    monkeypatch.setattr(message_log, "_TAKEN_BYTES", 1000)
    largest = 0
    log.append(b"%04d" % 0)
    for number in range(2000):
        log.append(b"%04d" % (number + 1))
        assert log.take() == b"%04d" % number
        largest = max(largest, (tmp_path / "queue" / "messages").stat().st_size)
    assert largest < 1500
    assert taken(log) == [b"2000"]


@pytest.mark.parametrize("content", [b"nonsense", b"\xff" * 100, b"-000000000000000005\nleft\n", b"1\n", b"\n\n\n"])
def test_a_file_that_nobody_here_wrote_ends(log: MessageLog, tmp_path: Path, content: bytes) -> None:
    log.append(b"first")
    (tmp_path / "queue" / "messages").write_bytes(content)
    assert len(taken(log)) < 5
    log.append(b"next")
    assert taken(log) == [b"next"]


def test_a_message_cut_off_by_a_kill_harms_no_other(log: MessageLog, tmp_path: Path) -> None:
    log.append(b"whole")
    with (tmp_path / "queue" / "messages").open("ab") as file:
        file.write(b"half of a mess")
    log.append(b"next")
    assert taken(log) == [b"whole", b"half of a mess", b"next"], "the half one is no JSON, and dropped by its reader"
    log.append(b"last")
    with (tmp_path / "queue" / "messages").open("ab") as file:
        file.write(b"half of a mess")
    assert taken(log) == [b"last", b"half of a mess"]


WORKER = """
import sys
from pathlib import Path
from services.common.adapters.message_log import MessageLog
log = MessageLog(Path(sys.argv[1]))
number = 0
while True:
    log.append(b"%s-%d" % (sys.argv[2].encode(), number))
    log.take()
    number += 1
"""


def test_a_killed_process_holds_up_nobody(log: MessageLog, tmp_path: Path) -> None:
    for number in range(5):
        path = str(tmp_path / "queue" / "messages")
        worker = subprocess.Popen([sys.executable, "-c", WORKER, path, str(number)])
        deadline = time.monotonic() + 20
        while not (log.take() or b"").startswith(b"%d-" % number):
            assert time.monotonic() < deadline, "the worker wrote nothing"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        left = taken(log)
        assert len(left) <= 2
        log.append(b"after")
        assert taken(log) == [b"after"]
