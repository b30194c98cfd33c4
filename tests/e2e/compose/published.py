"""Bundles to publish to a running stack, made of a shipped one; publishing them; and seeing which version serves."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests import photos
from tests.e2e.compose.compose_stack import ROOT, ComposeStack

FOLDERS = {"detector": ROOT / "services/detector/model", "age": ROOT / "services/analyzer/model/age"}
MODULES = {"detector": ("detector", "publish", "--bundle"), "age": ("attributes", "publish")}


def reversioned(stack: ComposeStack, task: str, version: str) -> Path:
    """The shipped bundle of a task under another version, in the folder that the trainer sees as `runs`."""
    folder = stack.folder / "runs" / f"{task}-{version}"
    shutil.copytree(FOLDERS[task], folder)
    meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(meta | {"version": version}), encoding="utf-8")
    return folder


def forgetful(folder: Path) -> Path:
    """Alters what the model is said to answer: whole and well formed, but not what the graph does."""
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    outputs = golden["cases"][0]["outputs"]
    outputs.update({name: _moved(value) for name, value in outputs.items()})
    (folder / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    return folder


def _moved(value: object) -> object:
    return [_moved(part) for part in value] if isinstance(value, list) else float(value) + 5  # type: ignore[arg-type]


def publish(stack: ComposeStack, task: str, bundle: Path) -> subprocess.CompletedProcess[str]:
    """The trainer's publish verb in the back network, by an image that everyone has built: the verb needs no torch."""
    mounts = ["--volume", f"{stack.folder}/trainer:/srv/facekit/trainer:ro"]
    mounts += ["--volume", f"{stack.folder}/runs:/srv/facekit/runs:ro"]
    command = ["docker", "compose", "run", "--rm", "--no-deps", "-T", *mounts, "detector"]
    return stack.run(*command, "python", "-m", "trainer", *MODULES[task], f"runs/{bundle.name}")


def serving(stack: ComposeStack, task: str) -> set[str]:
    """Versions of a task's model that live workers report."""
    models = stack.call("GET", "/v1/models", role="read").json()["models"]
    return {model["version"] for model in models if model["task"] == task}


def made_by(stack: ComposeStack, task: str) -> str:
    """The version that a new result names."""
    job = stack.finished(stack.detect(photos.one_face(), analyze="age"))
    assert job["status"] == "succeeded", job["error"]
    return str(job["models"][task]).partition("@")[2]
