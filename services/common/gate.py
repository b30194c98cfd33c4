"""Gate: many threads side by side, or one alone. For jobs in a worker, and for photos being decoded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """A shared and exclusive lock. Whoever wants to be alone comes first: nobody enters beside while one waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._beside = 0
        self._alone = False
        self._wanting_alone = 0  # inside or waiting

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Together with others who enter so."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanting_alone)
            self._beside += 1
        try:
            yield
        finally:
            with self._changed:
                self._beside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """With nobody else. Never enter it from inside `beside`: it would wait for itself."""
        with self._changed:
            self._wanting_alone += 1
            try:
                self._changed.wait_for(lambda: not self._beside and not self._alone)
            except BaseException:
                self._wanting_alone -= 1
                self._changed.notify_all()
                raise
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._wanting_alone -= 1
                self._changed.notify_all()
