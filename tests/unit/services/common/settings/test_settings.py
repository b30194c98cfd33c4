"""What the Settings class says about each setting, and defaults that follow from others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.settings.containers import reads
from services.common.flows.registry import STAGES
from services.common.settings import Settings
from services.common.settings.about import about, accepted
from services.common.settings.load import settings_of

ROOT = Path(__file__).resolve().parents[5]
# What runs in a process: the folders of its own, and the files it shares with others.
SHARED_BY_WORKERS = ("services/common/work", "services/common/bootstrap.py")
SOURCES = {
    "gateway": ("services/gateway", "services/common/bootstrap.py"),
    **{stage: (f"services/{stage}", *SHARED_BY_WORKERS) for stage in STAGES},
    "bench": ("scripts/bench",),
}
# In a program's folder, but of another program.
OTHERS = {"gateway": {"archive.py"}}


@pytest.mark.parametrize(("threads", "concurrency"), [("1", 2), ("2", 3), ("3", 4), ("16", 4)])
def test_a_worker_holds_one_job_more_than_threads_and_at_most_four(threads: str, concurrency: int) -> None:
    assert settings_of({"FACEKIT_THREADS": threads}).concurrency == concurrency
    assert settings_of({"FACEKIT_THREADS": threads, "FACEKIT_CONCURRENCY": "7"}).concurrency == 7


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("port", "a whole number from 1 to 65535"),
        ("max_upload_bytes", "a whole number above 0, in bytes"),
        ("retention_days", "a number, 0 or more, in days"),
        ("max_attempts", "a whole number, 1 or more"),
        ("device", "auto, cpu or cuda"),
        ("s3_secure", "true or false"),
        ("frontend", "the path of a folder"),
        ("s3_region", "text"),
    ],
)
def test_what_is_accepted_is_said_in_words(name: str, words: str) -> None:
    assert accepted(Settings.model_fields[name]) == words


def test_every_setting_says_what_it_does_and_who_reads_it() -> None:
    for name, field in Settings.model_fields.items():
        assert about(field).what.endswith("."), name
        assert about(field).readers, name


@pytest.mark.parametrize("program", SOURCES)
def test_a_program_is_named_by_every_setting_its_code_reads(program: str) -> None:
    for path in _files(program):
        for name in set(_read(path)):
            assert reads(program, about(Settings.model_fields[name])), f"{path.name} reads {name}"


@pytest.mark.parametrize("program", ["gateway", *STAGES])
def test_a_program_that_is_named_reads(program: str) -> None:
    read = {name for path in _files(program) for name in _read(path)}
    named = {name for name, field in Settings.model_fields.items() if reads(program, about(field))}
    assert named - read <= {"home"}, "which is behind the effective URLs"


def _files(program: str) -> Iterator[Path]:
    for source in SOURCES[program]:
        path = ROOT / source
        files = [path] if path.is_file() else path.rglob("*.py")
        yield from (file for file in files if file.name not in OTHERS.get(program, ()))


def _read(path: Path) -> Iterator[str]:
    """Settings that the code takes off something called `settings`, directly or as an effective URL."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("settings"):
            name = node.attr.removeprefix("effective_")
            if name in Settings.model_fields:
                yield name
