"""`make backup` and `make restore`: jobs, results and pictures come back, also to a stack that has lost everything."""

from __future__ import annotations

from typing import Any

from tests import photos
from tests.e2e.compose.compose_stack import ComposeStack


def pictures(stack: ComposeStack, job: dict[str, Any]) -> list[bytes]:
    urls = [job["result"]["image"]["url"], *(face["crop_url"] for face in job["result"]["faces"])]
    answers = [stack.call("GET", url) for url in urls]
    assert [answer.status_code for answer in answers] == [200] * len(urls)
    return [answer.content for answer in answers]


def backup(stack: ComposeStack) -> str:
    said = stack.make("backup")
    return next(word for word in said.split() if word.startswith("backups/"))


def test_what_a_backup_holds_survives_the_loss_of_every_volume(stack: ComposeStack) -> None:
    job = stack.finished(stack.detect(photos.jpeg(photos.crowd_rgb(2, 2)), analyze="age"))
    before = pictures(stack, job)
    folder = backup(stack)
    later = stack.detect(photos.no_face())
    stack.finished(later)

    stack.remove()
    stack.make("up")
    assert stack.call("GET", f"/v1/jobs/{job['id']}").status_code == 404, "the volumes are new"
    stack.make("restore", f"BACKUP={folder}")

    stack.wait_ready()
    assert stack.call("GET", f"/v1/jobs/{job['id']}").json() == job
    assert pictures(stack, job) == before
    assert stack.call("GET", f"/v1/jobs/{later}").status_code == 404, "it came after the backup"
    assert stack.finished(stack.detect(photos.one_face()))["status"] == "succeeded"


def test_restore_goes_back_in_time(stack: ComposeStack) -> None:
    kept = stack.finished(stack.detect(photos.one_face()))
    before = pictures(stack, kept)
    folder = backup(stack)
    assert stack.call("DELETE", f"/v1/jobs/{kept['id']}").status_code == 204
    later = stack.detect(photos.no_face())
    stack.finished(later)
    stack.make("restore", f"BACKUP={folder}")
    assert pictures(stack, kept) == before
    assert stack.call("GET", f"/v1/jobs/{later}").status_code == 404


def test_restore_without_a_backup_touches_nothing(stack: ComposeStack) -> None:
    refused = stack.run("make", "restore")
    assert refused.returncode
    assert "make restore BACKUP=" in refused.stderr
    stack.wait_ready(10)
