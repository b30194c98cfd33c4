"""Every container in turn is lost under a steady load: what was accepted ends well, once, and nobody lifts a finger."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.compose.compose_stack import ComposeStack, wait_until
from tests.e2e.compose.steady_load import SteadyLoad

EVERYTHING = ("nginx", "gateway", "detector", "analyzer", "verifier", "postgres", "redis", "minio")
KEPT = ("redis-cli", "--no-auth-warning")


def under_load(stack: ComposeStack, lose: Callable[[], None]) -> None:
    stack.wait_ready()
    with SteadyLoad(stack) as load:
        load.wait_accepted(4)
        lose()
        load.wait_accepted(4)
    load.check()
    stack.wait_ready()


@pytest.mark.parametrize("service", EVERYTHING)
def test_a_killed_container_loses_no_job(stack: ComposeStack, service: str) -> None:
    restarts = int(stack.inspect(service)["RestartCount"])

    def lose() -> None:
        stack.kill(service)
        stack.wait_restarted(service, restarts)

    under_load(stack, lose)


def test_redis_comes_back_with_nothing_and_no_job_is_lost(stack: ComposeStack) -> None:
    """Messages that wait in Redis are gone with it: jobs of a stage whose worker is away are announced again."""
    restarts = int(stack.inspect("redis")["RestartCount"])

    def redis(*command: str) -> str:
        return stack.compose("exec", "-T", "redis", *KEPT, *command).strip()

    def lose() -> None:
        stack.compose("pause", "verifier")
        wait_until(lambda: int(redis("llen", "verifier")) > 0, "messages wait in Redis", 60)
        redis("set", "mark", "1")
        stack.kill("redis")
        stack.wait_restarted("redis", restarts)
        assert redis("exists", "mark") == "0"
        stack.compose("unpause", "verifier")

    under_load(stack, lose)


@pytest.mark.parametrize("service", ["postgres", "minio"])
def test_a_restart_for_maintenance_loses_no_job(stack: ComposeStack, service: str) -> None:
    under_load(stack, lambda: void(stack.compose("restart", service)))


def test_what_the_engine_was_told_to_kill_waits_for_make_up(stack: ComposeStack) -> None:
    """`docker kill` counts as being stopped by hand, and so it takes a hand to start again: jobs wait till then."""
    stack.wait_ready()
    with SteadyLoad(stack) as load:
        load.wait_accepted(3)
        stack.done("docker", "kill", *stack.containers("detector"))
        load.wait_accepted(3)
        assert stack.inspect("detector")["State"]["Status"] == "exited"
        stack.make("up")
    load.check()
    stack.wait_ready()


@pytest.mark.slow
def test_a_worker_that_consumes_nothing_is_called_unhealthy(stack: ComposeStack) -> None:
    """Its health check asks whether a message was taken off the queue, not whether a process runs."""

    def health() -> str:
        return str(stack.inspect("verifier")["State"]["Health"]["Status"])

    stack.wait_ready()
    wait_until(lambda: health() == "healthy", "the worker is healthy", 60)
    stack.compose("stop", "redis")
    try:
        wait_until(lambda: health() == "unhealthy", "its health check sees that it consumes nothing", 180)
        assert stack.inspect("verifier")["State"]["Running"]
    finally:
        stack.compose("start", "redis")
    wait_until(lambda: health() == "healthy", "it consumes again, with no restart by hand", 180)


def void(_result: object) -> None:
    pass
