"""Many beside each other or one alone, and whoever wants to be alone is not kept waiting by those who come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from services.common.gate import Gate


class Visitors:
    """Threads that enter a gate and stay until they are told to leave."""

    def __init__(self, gate: Gate, threads: ThreadPoolExecutor) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self._threads = threads
        self._leave: dict[str, threading.Event] = {}
        self._gone: dict[str, Future[None]] = {}

    def enter(self, name: str, way: AbstractContextManager[None]) -> None:
        self._leave[name] = threading.Event()
        self._gone[name] = self._threads.submit(self._stay, name, way)
        time.sleep(0.05)

    def _stay(self, name: str, way: AbstractContextManager[None]) -> None:
        with way:
            self.inside.append(name)
            self._leave[name].wait(10)
            self.inside.remove(name)

    def leave(self, name: str) -> None:
        self._leave[name].set()
        self._gone[name].result(10)
        time.sleep(0.05)

    def leave_all(self) -> None:
        for event in self._leave.values():
            event.set()


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with ThreadPoolExecutor(8) as threads:
        visitors = Visitors(Gate(), threads)
        yield visitors
        visitors.leave_all()


def test_many_are_inside_beside_each_other(visitors: Visitors) -> None:
    for name in "abc":
        visitors.enter(name, visitors.gate.beside())
    assert visitors.inside == ["a", "b", "c"]


def test_one_alone_waits_for_the_others_and_comes_before_those_who_come_later(visitors: Visitors) -> None:
    gate = visitors.gate
    visitors.enter("a", gate.beside())
    visitors.enter("b", gate.beside())
    visitors.enter("alone", gate.alone())
    visitors.enter("late", gate.beside())
    assert visitors.inside == ["a", "b"]
    visitors.leave("a")
    assert visitors.inside == ["b"]
    visitors.leave("b")
    assert visitors.inside == ["alone"]
    visitors.leave("alone")
    assert visitors.inside == ["late"]


def test_two_who_want_to_be_alone_are_so_one_after_the_other(visitors: Visitors) -> None:
    visitors.enter("first", visitors.gate.alone())
    visitors.enter("second", visitors.gate.alone())
    visitors.enter("beside", visitors.gate.beside())
    assert visitors.inside == ["first"]
    visitors.leave("first")
    assert visitors.inside == ["second"]
    visitors.leave("second")
    assert visitors.inside == ["beside"]


def test_an_error_inside_leaves_the_gate_open() -> None:
    gate = Gate()
    for way in (gate.alone, gate.beside, gate.alone):
        with pytest.raises(ValueError, match="broken"), way():
            raise ValueError("broken")
    with gate.beside():
        pass
