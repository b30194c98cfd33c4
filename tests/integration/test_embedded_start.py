"""`make run` as a user meets it: the launcher over the real services, and its papers' commands typed into a shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.embedded.free_port import free_port
from tests.environment import without_settings
from tests.papers import ROOT, commands, text
from tests.photos import astronaut_rgb, crowd_rgb, jpeg


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("embedded")
    port = free_port()
    environment = without_settings()
    environment |= {"FACEKIT_HOME": str(home), "FACEKIT_PORT": str(port)}
    with (home / "terminal").open("w+b") as terminal:
        run = [sys.executable, "-m", "scripts.embedded"]
        process = subprocess.Popen(run, cwd=ROOT, env=environment, stdout=terminal, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 120
            while "ready after" not in (said := (home / "terminal").read_text()):
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
            children = json.loads((home / "stack.json").read_text())["children"]
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            left = [name for name, pid in children.items() if Path(f"/proc/{pid}").exists()]
            assert not left, f"Ctrl-C left {left} running"
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the photos that the papers speak of."""
    (tmp_path / "anchor.jpg").write_bytes(jpeg(astronaut_rgb()))
    (tmp_path / "group.jpg").write_bytes(jpeg(crowd_rgb(2, 3)))
    (tmp_path / "README.md").write_text(text("README.md"), encoding="utf-8")
    return tmp_path


def typed(script: str, desk: Path, url: str) -> subprocess.CompletedProcess[str]:
    """The lines as a paper has them, but for this server's port and this environment's Python."""
    script = script.replace("http://127.0.0.1:8080", url).replace(".venv/bin/python", sys.executable)
    environment = {**os.environ, "FACEKIT_URL": url, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_client_answers_as_readme_says(url: str, desk: Path) -> None:
    finished = typed("".join(commands("README.md", "From the terminal")), desk, url)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    job = json.loads((desk / "job.json").read_text())
    faces = job["result"]["faces"]
    assert faces
    assert sorted(path.name for path in (desk / "out").iterdir()) == [f"group-face-{i}.jpg" for i in range(len(faces))]
    assert "age" in finished.stdout
    assert "probability" in finished.stdout


def test_the_curl_lines_answer_as_their_page_says(url: str, desk: Path) -> None:
    finished = typed("".join(commands("docs/api.md", "By example")), desk, url)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    job = json.loads((desk / "job.json").read_text())
    assert job["status"] == "succeeded"
    assert {"age", "emotion"} == {name for name, value in job["result"]["faces"][0]["attributes"].items() if value}
    for picture in ("face-0.jpg", "annotated.jpg"):
        assert (desk / picture).read_bytes().startswith(b"\xff\xd8")
    assert zipfile.ZipFile(desk / "faces.zip").testzip() is None
    assert '"kind":"verification"' in finished.stdout
    assert '"code":"unsupported_format"' in finished.stdout
    assert '"status":"ready"' in finished.stdout
