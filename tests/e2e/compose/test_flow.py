"""From a clean clone by `make up` to faces: what a user of the stack meets, through nginx."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import requests

from tests import photos
from tests.e2e.compose.compose_stack import ComposeStack
from tests.papers import commands, text

PROBLEM = "application/problem+json"


def typed(stack: ComposeStack, desk: Path, lines: str) -> str:
    """Lines of a paper in a shell whose KEY is the one shown by `make up`, but for the port of this stack."""
    lines = lines.replace("http://127.0.0.1:8080", stack.url)
    finished = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", lines],
        cwd=desk,
        env=stack.environment | {"KEY": stack.keys["submit"]},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_make_up_shows_keys_once_and_says_where_the_stack_answers(stack: ComposeStack) -> None:
    assert set(stack.keys) == {"submit", "read"}
    said = stack.make("up")
    assert f"facekit: the stack answers at {stack.url}" in said
    assert not any(key in said for key in stack.keys.values())
    stack.wait_ready()
    listed = stack.make("ps")
    assert all(service in listed for service in ("nginx", "gateway", "detector", "analyzer", "verifier", "postgres"))


def test_photo_to_faces_and_gone_again(stack: ComposeStack) -> None:
    job = stack.finished(stack.detect(photos.one_face(), analyze="age,gender,ethnicity,emotion"))
    assert job["status"] == "succeeded", job["error"]
    (face,) = job["result"]["faces"]
    assert set(face["attributes"]) == {"age", "gender", "ethnicity", "emotion"}
    for url in (job["result"]["image"]["url"], job["result"]["annotated_url"], face["crop_url"]):
        for role in ("submit", "read"):
            image = stack.call("GET", url, role=role)
            assert (image.status_code, image.headers["Content-Type"]) == (200, "image/jpeg")
    assert stack.call("DELETE", f"/v1/jobs/{job['id']}").status_code == 204
    assert stack.call("GET", job["result"]["image"]["url"]).json()["code"] == "no_such_job"


def test_verification(stack: ComposeStack) -> None:
    photo = ("photo.jpg", photos.one_face())
    answer = stack.call("POST", "/v1/verifications", files={"anchor": photo, "image": photo})
    job = stack.finished(answer.json()["id"])
    assert job["status"] == "succeeded", job["error"]
    (match,) = job["result"]["matches"]
    assert match["similarity"] > 0.99


def test_keys_are_on(stack: ComposeStack) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(f"{stack.url}/v1/jobs", headers=headers, timeout=30)
        assert (answer.status_code, answer.headers["Content-Type"], answer.json()["code"]) == (
            401,
            PROBLEM,
            "unauthorized",
        )
    reader = stack.call("POST", "/v1/detections", role="read", files={"image": ("photo.jpg", photos.one_face())})
    assert (reader.status_code, reader.headers["Content-Type"], reader.json()["code"]) == (403, PROBLEM, "forbidden")


def test_the_curl_lines_answer_as_their_pages_say(stack: ComposeStack, tmp_path: Path) -> None:
    (tmp_path / "anchor.jpg").write_bytes(photos.one_face())
    (tmp_path / "group.jpg").write_bytes(photos.jpeg(photos.crowd_rgb(2, 3)))
    (tmp_path / "README.md").write_text(text("README.md"), encoding="utf-8")
    first = next(block for block in commands("README.md", "Run it") if block.startswith("curl"))
    assert json.loads(typed(stack, tmp_path, first))["status"] == "queued"
    said = typed(stack, tmp_path, "".join(commands("docs/api.md", "By example")))
    job = json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))
    assert (job["status"], len(job["result"]["faces"])) == ("succeeded", 6)
    for picture in ("face-0.jpg", "annotated.jpg"):
        assert (tmp_path / picture).read_bytes().startswith(b"\xff\xd8")
    assert '"kind":"verification"' in said and '"code":"unsupported_format"' in said and '"status":"ready"' in said


def test_compose_refuses_without_secrets(stack: ComposeStack, tmp_path: Path) -> None:
    empty = tmp_path / ".env"
    empty.touch()
    refused = stack.run("docker", "compose", "--env-file", str(empty), "config")
    assert refused.returncode
    assert "run `make up`" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1
