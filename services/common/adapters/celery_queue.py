"""CeleryQueue: hints as Celery messages, over Redis or over a folder of this machine."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import redis
from celery import Celery
from celery.app import trace
from celery.worker import WorkController, state
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError

from services.common.adapters.handler_threads import HandlerThreads
from services.common.errors import Unavailable

TASK: Final = "facekit.hint"
# A hint no worker wanted for so long is not worth keeping: by then the sweeper has sent another.
_FOLDER: Final = "filesystem://"
_FOLDER_TRANSPORT: Final = "services.common.adapters.folder_transport:Transport"
_PUBLISH_RETRY: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


class CeleryQueue:
    """A JobQueue with one Celery app of its own, and nothing global.

    A worker takes one message at a time, and only when one of its threads is free, so that no hint waits in a busy
    worker while another is idle. It acknowledges early: leases, not messages, are what finds a lost worker.
    """

    def __init__(
        self,
        broker_url: str,
        *,
        visibility_timeout_s: float = 600.0,
        timeout_s: float = 2.0,
    ) -> None:
        """`timeout_s` bounds a connect, a read and a write. Raises Unavailable when the folder cannot be made; connects
        to no server."""
        self._folder: Path | None = None
        self._redis: redis.Redis | None = None
        if broker_url.startswith(_FOLDER):
            self._folder = Path(broker_url.removeprefix(_FOLDER))
            with _translated("the queue's folder cannot be used"):
                self._folder.mkdir(parents=True, exist_ok=True)
            broker_url = "folder://localhost"
            transport_options: dict[str, Any] = {"folder": str(self._folder)}
        else:
            self._redis = redis.Redis.from_url(
                broker_url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None
            )
            transport_options = {
                "visibility_timeout": visibility_timeout_s,
                "socket_timeout": timeout_s,
                "socket_connect_timeout": timeout_s,
                "socket_keepalive": True,
                **_PUBLISH_RETRY,
            }
        self._app = Celery("facekit", set_as_current=False)
        self._app.conf.update(
            broker_url=broker_url,
            broker_transport=_FOLDER_TRANSPORT if self._folder else None,
            broker_transport_options=transport_options,
            broker_connection_timeout=timeout_s,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            broker_pool_acquire_timeout=timeout_s * 2,
            broker_pool_limit=16,
            task_ignore_result=True,
            task_acks_late=True,
            task_publish_retry_policy=_PUBLISH_RETRY,
            task_serializer="json",
            accept_content=["json"],
            # No limit, because none is needed: the worker's loop takes a message and is then held up by
            # HandlerThreads. With a limit, a message whose acknowledgement is lost with the connection counts as
            # held for ever, and a worker would never take another one after a restart of Redis.
            worker_prefetch_multiplier=0,
            worker_enable_prefetch_count_reduction=False,
            worker_enable_remote_control=False,
            worker_send_task_events=False,
            worker_hijack_root_logger=False,
        )

    def publish(self, stage: str, job_id: str) -> None:
        with _translated("the queue does not answer"):
            # Nothing is declared: a queue is made by its first message or by its consumer.
            self._app.send_task(TASK, (job_id,), queue=_queue(stage), declare=(), ignore_result=True)

    def consume(self, stage: str, handle: Callable[[str], None], *, concurrency: int) -> None:
        """Also raises Unavailable when Celery gives up, which it does on errors it does not know."""
        app, threads = self._app, HandlerThreads(handle, concurrency)
        app.task(threads.run, name=TASK, shared=False)
        app.amqp.queues.add(_queue(stage))
        hostname = f"{stage}@{os.uname().nodename}-{os.getpid()}"
        for chatty in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        state.should_stop = state.should_terminate = None
        trace.setup_worker_optimizations(app, hostname)
        try:
            with threads, _stopped_by_signals():
                worker = WorkController(
                    app=app,
                    hostname=hostname,
                    pool="solo",
                    concurrency=1,
                    queues=[stage],
                    without_gossip=True,
                    without_mingle=True,
                    without_heartbeat=True,
                )
                worker.start()
        finally:
            trace.reset_worker_optimizations(app)
        if worker.exitcode:
            raise Unavailable(f"consuming {stage} ended with an error that the log names")

    def ping(self) -> None:
        if self._redis is not None:
            with _translated("the queue does not answer"):
                self._redis.ping()
        elif self._folder is not None and not os.access(self._folder, os.W_OK | os.X_OK):
            raise Unavailable(f"the queue's folder {self._folder} is missing or not writable")

    def close(self) -> None:
        self._app.close()
        if self._redis is not None:
            self._redis.close()


def _queue(stage: str) -> Queue:
    """Published to by its name through the default exchange: no binding to keep, and none for a FLUSHALL to lose."""
    exchange = Exchange("", type="direct")  # type: ignore[no-untyped-call]
    return Queue(stage, exchange, routing_key=stage)  # type: ignore[no-untyped-call]


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT end the Celery worker between two messages. Without effect outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        state.should_stop = os.EX_OK

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (KombuError, redis.RedisError, OSError) as error:
        raise Unavailable(f"{what}: {error or type(error).__name__}") from error
