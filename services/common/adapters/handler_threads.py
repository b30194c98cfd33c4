"""HandlerThreads: runs handlers on threads, and holds up whoever brings work while all of them are busy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

log = logging.getLogger(__name__)


class HandlerThreads:
    """`concurrency` threads around one `handle`. Leaving the context waits for what is being handled."""

    def __init__(self, handle: Callable[[str], None], concurrency: int) -> None:
        self._handle = handle
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="handler")
        self._free = threading.Semaphore(concurrency - 1)

    def run(self, job_id: str) -> None:
        """Starts handling at once, and returns when another thread is free for the next."""
        self._pool.submit(self._work, job_id)
        self._free.acquire()

    def _work(self, job_id: str) -> None:
        try:
            self._handle(job_id)
        except Exception:
            log.exception("a handler raised", extra={"job_id": job_id})
        finally:
            self._free.release()

    def __enter__(self) -> HandlerThreads:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
