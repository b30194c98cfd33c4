"""What `make` promises before anything is installed: a suitable Python is found, and only pinned files go in."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts import pins

ROOT = Path(pins.__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def found_python(path: Path, wanted: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "python.sh"), wanted],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_too_old_python3_gives_way_to_python3_12(tmp_path: Path) -> None:
    program(tmp_path, "python3", "exit 1  # what 3.9 answers to the version check")
    program(tmp_path, "python3.12", f'exec "{sys.executable}" "$@"')
    assert found_python(tmp_path).stdout.strip() == str(tmp_path / "python3.12")


def test_no_python_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    finished = found_python(tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert "no Python 3.11 to 3.13" in finished.stderr


def test_named_python_that_does_not_fit_is_not_replaced_silently(tmp_path: Path) -> None:
    program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    finished = found_python(tmp_path, "python9")
    assert finished.returncode == 1
    assert "python9" in finished.stderr


def test_make_help_lists_every_target_a_user_calls() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} >= {"help", "run", "test", "lint", "bench", "train"}


def test_each_extra_gets_exact_pins_with_hashes() -> None:
    text = pins.CONSTRAINTS.read_text()
    for extra in EXTRAS:
        selected = pins.select(text, frozenset({extra}))
        assert selected
        for pin in selected:
            assert re.match(r"[a-z0-9-]+==\S+", pin)
            assert "--hash=sha256:" in pin


def test_every_direct_dependency_is_pinned_for_its_extra() -> None:
    text = pins.CONSTRAINTS.read_text()
    for extra, requirements in EXTRAS.items():
        names = {pin.partition("==")[0] for pin in pins.select(text, frozenset({extra}))}
        for requirement in requirements:
            name = re.match(r"[A-Za-z0-9-]+", requirement)
            assert name
            assert name[0] == "facekit" or name[0].lower() in names, f"{requirement}: run `make constraints`"


def test_serving_has_no_training_framework_and_no_environment_two_cv2() -> None:
    text = pins.CONSTRAINTS.read_text()
    serving = {p.partition("==")[0] for p in pins.select(text, frozenset(EXTRAS) - {"trainer"})}
    training = {p.partition("==")[0] for p in pins.select(text, frozenset({"trainer"}))}
    assert not serving & {"torch", "tensorflow", "keras", "ultralytics", "opencv-python"}
    assert {name for name in training if name.startswith("opencv")} == {"opencv-python"}


def test_pytorch_may_come_from_an_index_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert pins.main(["--without-torch", "trainer"]) == 0
    others = capsys.readouterr().out
    assert not re.search(r"^(torch|triton|cuda-|nvidia-(?!ml-py))", others, re.MULTILINE)
    assert re.search(r"^ultralytics==", others, re.MULTILINE) and "nvidia-ml-py==" in others
    assert pins.main(["--only-torch"]) == 0
    assert re.fullmatch(r"torch==[\d.]+\ntorchvision==[\d.]+\n", capsys.readouterr().out)


@pytest.mark.parametrize("worker", ["detector", "analyzer", "verifier"])
def test_a_worker_may_get_onnx_runtime_for_gpus(worker: str, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str) -> set[str]:
        assert pins.main([*arguments]) == 0
        return set(re.findall(r"^[a-z0-9-]+(?===)", capsys.readouterr().out, re.MULTILINE))

    plain, on_gpu = printed(worker), printed("--gpu", worker)
    assert plain - on_gpu == {"onnxruntime"}, "both own the module onnxruntime"
    assert on_gpu - plain >= {"onnxruntime-gpu", "nvidia-cudnn-cu13", "nvidia-cublas", "nvidia-cuda-runtime"}
    assert on_gpu == plain - {"onnxruntime"} | printed("gpu"), "what the images share is whole"


@pytest.mark.parametrize("extra", ["gateway", "client"])
def test_there_is_no_gpu_for_what_has_no_model(extra: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert pins.main(["--gpu", extra]) == 1
    assert "onnxruntime" in capsys.readouterr().err


def test_constraints_name_no_host_and_no_path() -> None:
    assert not re.search(r"://|file:|@ |^--(extra-)?index|^-f ", pins.CONSTRAINTS.read_text(), re.MULTILINE)


def test_unknown_extra_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert pins.main(["liveness"]) == 1
    assert "no such extra" in capsys.readouterr().err


def test_pip_refuses_a_file_whose_hash_differs(tmp_path: Path) -> None:
    """pip itself, on a wheel made here: what scripts/pins.py prints is checked, not just carried along."""
    pin = "nothing==1.0 \\\n    --hash=sha256:" + "0" * 64
    (tmp_path / "pins.txt").write_text(pin)
    wheel = tmp_path / "nothing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not what was published")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path), "--require-hashes"]
    command += [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--target",
        str(tmp_path / "to"),
        "-r",
        str(tmp_path / "pins.txt"),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode != 0
    assert "DO NOT MATCH THE HASHES" in finished.stderr
