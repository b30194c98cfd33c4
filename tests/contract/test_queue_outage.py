"""Redis goes away, comes back empty, or forgets everything: publishing says so soon, consuming goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from services.common.adapters.celery_queue import CeleryQueue
from services.common.errors import Unavailable
from tests import servers
from tests.contract.test_job_queue import Consumer, wait_for


@pytest.fixture
def own_redis(redis_server: servers.RedisServer) -> Iterator[servers.RedisServer]:
    """A Redis of this test's own; `redis_server` is asked for only to skip where there is no Redis."""
    with servers.redis() as server:
        yield server


def handled(queue: CeleryQueue, consumer: Consumer, hint: str, timeout_s: float) -> None:
    """Publishes until the hint is handled, as the sweeper does."""
    deadline = time.monotonic() + timeout_s
    while hint not in consumer.done:
        assert time.monotonic() < deadline, f"{hint} was not handled in {timeout_s} s"
        queue.publish("detector", hint)
        time.sleep(0.3)


def test_a_restart_and_a_flush_in_the_middle_of_consuming(own_redis: servers.RedisServer, tmp_path: Path) -> None:
    queue = CeleryQueue(own_redis.url)
    consumer = Consumer(own_redis.url, "detector", tmp_path / "handled", concurrency=2, seconds=0.2)
    try:
        handled(queue, consumer, "before", 30)
        for number in range(10):
            queue.publish("detector", f"job-{number}")
        wait_for(lambda: "job-1" in consumer.lines)
        own_redis.stop()

        started = time.monotonic()
        with pytest.raises(Unavailable):
            queue.publish("detector", "during")
        with pytest.raises(Unavailable):
            queue.ping()
        assert time.monotonic() - started < 5, "whoever publishes is told soon"
        time.sleep(2)
        assert consumer.process.poll() is None

        own_redis.start()
        queue.ping()
        queue.publish("detector", "after")
        handled(queue, consumer, "after", 15)
        queue.publish("detector", "flushed")
        with redis.Redis.from_url(own_redis.url) as client:
            client.flushall()
        for number in range(5):
            handled(queue, consumer, f"after-the-flush-{number}", 10)
        assert consumer.stop() == 0
    finally:
        consumer.process.kill()
        consumer.process.wait()
        queue.close()


def test_a_worker_that_starts_before_its_redis(own_redis: servers.RedisServer, tmp_path: Path) -> None:
    own_redis.stop()
    consumer = Consumer(own_redis.url, "detector", tmp_path / "handled")
    queue = CeleryQueue(own_redis.url)
    try:
        time.sleep(1.5)
        own_redis.start()
        handled(queue, consumer, "job", 20)
        own_redis.stop()
        time.sleep(0.5)
        assert consumer.stop() == 0, "told to stop while it tries to reconnect"
    finally:
        consumer.process.kill()
        consumer.process.wait()
        queue.close()
