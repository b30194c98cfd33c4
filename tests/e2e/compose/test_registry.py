"""Models published to the running stack: workers take them up between jobs, and refuse what is broken."""

from __future__ import annotations

import json

import pytest

from tests.e2e.compose.compose_stack import ComposeStack, wait_until
from tests.e2e.compose.published import FOLDERS, forgetful, made_by, publish, reversioned, serving
from tests.e2e.compose.steady_load import SteadyLoad

WORKERS = {"detector": "detector", "age": "analyzer"}


@pytest.mark.parametrize("task", FOLDERS)
def test_a_published_model_serves_without_a_restart(stack: ComposeStack, task: str) -> None:
    stack.wait_ready()
    before = stack.inspect(WORKERS[task])
    with SteadyLoad(stack) as load:
        load.wait_accepted(2)
        published = publish(stack, task, reversioned(stack, task, "9.1"))
        assert published.returncode == 0, published.stdout + published.stderr
        assert published.stdout.strip().endswith("@9.1")
        wait_until(lambda: serving(stack, task) == {"9.1"}, "the published model serves", 120)
        load.wait_accepted(2)
    load.check()
    assert made_by(stack, task) == "9.1"
    after = stack.inspect(WORKERS[task])
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])


def test_a_model_that_does_not_do_what_it_says_is_refused_and_the_old_one_goes_on(stack: ComposeStack) -> None:
    old = made_by(stack, "detector")
    published = publish(stack, "detector", forgetful(reversioned(stack, "detector", "9.2")))
    assert published.returncode == 0, published.stderr  # only who runs the graph can see it

    def refused() -> bool:
        return "model detector@9.2 refused, the old one goes on" in stack.compose("logs", "--no-log-prefix", "detector")

    wait_until(refused, "the worker refuses the model", 120)
    assert made_by(stack, "detector") == old
    assert serving(stack, "detector") == {old}
    good = publish(stack, "detector", reversioned(stack, "detector", "9.3"))
    assert good.returncode == 0, good.stderr
    wait_until(lambda: serving(stack, "detector") == {"9.3"}, "the next good model serves", 120)


def test_a_damaged_bundle_is_not_even_published(stack: ComposeStack) -> None:
    folder = reversioned(stack, "detector", "9.4")
    with (folder / "model.onnx").open("r+b") as graph:
        graph.truncate(1000)
    published = publish(stack, "detector", folder)
    assert published.returncode
    assert "sha256" in published.stderr
    assert made_by(stack, "detector") != "9.4"


def test_a_new_worker_starts_with_what_was_published(stack: ComposeStack) -> None:
    version = made_by(stack, "detector")
    shipped = json.loads((FOLDERS["detector"] / "model.json").read_text(encoding="utf-8"))["version"]
    assert version != shipped
    stack.compose("up", "--detach", "--wait", "--no-build", "--force-recreate", "--no-deps", "detector")
    stack.wait_ready()
    assert made_by(stack, "detector") == version
