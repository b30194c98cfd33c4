"""CeleryQueue: hints as Celery messages over Redis."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import redis
from celery import Celery
from celery.app import trace
from celery.worker import WorkController, state
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError

from services.common.adapters.handler_threads import HandlerThreads
from services.common.adapters.stop_signals import stopped_by_signals
from services.common.errors import Unavailable

TASK: Final = "facekit.hint"
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
        """`timeout_s` bounds a connect, a read and a write. Connects to no server. Raises ValueError for a URL that no
        Redis can have."""
        self._redis = redis.Redis.from_url(
            broker_url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None
        )
        self._app = Celery("facekit", set_as_current=False)
        self._app.conf.update(
            broker_url=broker_url,
            broker_transport_options={
                "visibility_timeout": visibility_timeout_s,
                "socket_timeout": timeout_s,
                "socket_connect_timeout": timeout_s,
                "socket_keepalive": True,
                **_PUBLISH_RETRY,
            },
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
            with threads, stopped_by_signals(_stop_between_messages):
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
        with _translated("the queue does not answer"):
            self._redis.ping()

    def close(self) -> None:
        self._app.close()
        self._redis.close()


def _queue(stage: str) -> Queue:
    """Published to by its name through the default exchange: no binding to keep, and none for a FLUSHALL to lose."""
    exchange = Exchange("", type="direct")  # type: ignore[no-untyped-call]
    return Queue(stage, exchange, routing_key=stage)  # type: ignore[no-untyped-call]


def _stop_between_messages() -> None:
    state.should_stop = os.EX_OK


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (KombuError, redis.RedisError, OSError) as error:
        raise Unavailable(f"{what}: {error or type(error).__name__}") from error
