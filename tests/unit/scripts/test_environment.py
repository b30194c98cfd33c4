"""What `make` promises before anything is installed: a suitable Python is found, and only pinned files go in."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.environment import install, pins

ROOT = pins.CONSTRAINTS.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def found_python(path: Path, wanted: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "environment" / "python.sh"), wanted],
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


@pytest.fixture
def tampered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of pins, and as the only index a folder whose one wheel is sound, but not what was pinned."""
    with zipfile.ZipFile(tmp_path / "nothing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        wheel.writestr("nothing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    for installer in ("PIP", "UV"):
        monkeypatch.setenv(f"{installer}_NO_INDEX", "1")
        monkeypatch.setenv(f"{installer}_FIND_LINKS", str(tmp_path))
    wanted = tmp_path / "pins.txt"
    wanted.write_text("nothing==1.0 \\\n    --hash=sha256:" + "0" * 64)
    return wanted


@pytest.mark.parametrize("by", [install.by_uv, install.by_pip])
def test_installers_refuse_a_file_whose_hash_differs(
    by: Callable[[Path, Path], bool], tampered: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What pins.py prints is checked, not just carried along. The environment is uv's own, which has pip."""
    if not install.UV.exists():
        pytest.skip("no uv: this environment was not made by make")
    assert not by(install.UV_HOME, tampered)
    assert re.search("hash mismatch|do not match the hashes", capfd.readouterr().err, re.IGNORECASE)


@pytest.mark.parametrize("uv", ["there is none", "it cannot"])
def test_pip_installs_what_uv_cannot(uv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def by_pip(environment: Path, wanted: Path) -> bool:
        seen.extend(line.split()[0] for line in wanted.read_text().splitlines() if "==" in line)
        return True

    program(tmp_path, "uv", "exit 2")
    monkeypatch.setattr(install, "UV", tmp_path / ("uv" if uv == "it cannot" else "nowhere"))
    monkeypatch.setattr(install, "by_pip", by_pip)
    assert install.main([str(tmp_path), "client"]) == 0
    assert "requests" in {pin.partition("==")[0] for pin in seen}


def test_uv_is_told_of_the_index_that_pip_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    if not install.UV.exists():
        pytest.skip("no uv: this environment was not made by make")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert install.index_of_pip() == {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}


def test_an_unknown_extra_is_not_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install.main([str(tmp_path), "liveness"]) == 1
    assert "no such extra" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
