"""The checks of the project on itself: a list of mutants that fits, a survivor that is told, skips that are counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.checks import mutants
from scripts.checks.mutations import MUTANTS, Mutant
from scripts.checks.skipped import block

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def no_options_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs inside these tests are their own."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


SUM = "def add(a, b):\n    return a + b\n"
TESTS = """
from total import add

def test_small():
    assert add(2, 0) == 2

def test_large():
    assert add(2, 3) == 5
"""


def mutant(new: str, *tests: str, old: str = "a + b") -> Mutant:
    return Mutant(new, "total.py", old, new, tuple(f"test_total.py::{test}" for test in tests))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two files, in place of this one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "total.py").write_text(SUM)
    (folder / "test_total.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = -pno:schemathesis -pno:hypothesispytest\n")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    monkeypatch.setattr(mutants, "ROOT", folder)
    return folder


@pytest.mark.parametrize("each", MUTANTS, ids=[each.name for each in MUTANTS])
def test_every_mutant_still_fits_the_project(each: Mutant) -> None:
    mutants.mutated(each, (ROOT / each.path).read_text("utf-8"))
    for test in each.tests:
        path, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text("utf-8"), test


def test_a_survivor_is_told_and_the_project_is_left_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = (mutant("a - b", "test_small"), mutant("b - a", "test_small"), mutant("a * b", "test_small", "test_large"))
    monkeypatch.setattr(mutants, "MUTANTS", made)
    assert mutants.main([]) == 1
    first, second, third, total = capsys.readouterr().out.splitlines()
    assert first.startswith("a - b") and first.endswith("SURVIVED")
    assert second.endswith("test_total.py::test_small") and third.endswith("test_total.py::test_small")
    assert total.startswith("3 mutants, 1 survived")
    assert (project / "total.py").read_text() == SUM
    assert mutants.main(["b - a"]) == 0


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        (mutant("a - b", "test_small", old="a plus b"), "holds 0 times"),
        (mutant("a - b", "test_small", old="a"), "times 'a'"),
        (mutant("a - b", "test_huge"), "could not be run"),
        (mutant("(", "test_small"), "could not be run"),
    ],
    ids=["text that is gone", "text that is not one place", "no such test", "no Python"],
)
def test_a_list_that_no_longer_fits_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unfit: Mutant, said: str
) -> None:
    monkeypatch.setattr(mutants, "MUTANTS", (unfit,))
    assert mutants.main([]) == 2
    assert said in capsys.readouterr().err


def test_tests_that_fail_anyway_kill_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "test_total.py").write_text(TESTS.replace("== 5", "== 6"))
    monkeypatch.setattr(mutants, "MUTANTS", (mutant("a - b", "test_large"),))
    assert mutants.main([]) == 2
    assert "test_large fails without any mutant" in capsys.readouterr().err


def test_skips_are_counted_by_reason_unless_the_other_half_ran_them(tmp_path: Path) -> None:
    (tmp_path / "test_half.py").write_text("import pytest\npytest.importorskip('torch_of_the_other_half')\n")
    (tmp_path / "test_gpu.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "@pytest.mark.skipif(True, reason='no GPU')\n"
        "def test_on_gpu(n): pass\n\n"
        "def test_stack(): pytest.skip('no engine')\n\n"
        "def test_runs(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -pno:schemathesis -pno:hypothesispytest\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run([*command, "--junitxml", "serving.xml"], cwd=tmp_path, check=True, capture_output=True)
    reason = "  1     could not import 'torch_of_the_other_half': No module named 'torch_of_the_other_half'"
    serving, trainer = tmp_path / "serving.xml", tmp_path / "trainer.xml"
    assert block([serving, trainer]).splitlines() == [
        "facekit: 4 tests were skipped, 1 ran",
        "  2     no GPU",
        reason,
        "  1     no engine",
        "  all   trainer: these tests did not come to their end",
    ]
    (tmp_path / "test_half.py").write_text("def test_half(): pass\n")
    subprocess.run(
        [*command, "--junitxml", "trainer.xml", "test_half.py"], cwd=tmp_path, check=True, capture_output=True
    )
    told = block([serving, trainer]).splitlines()
    assert told[0] == "facekit: 3 tests were skipped, 2 ran" and reason not in told
