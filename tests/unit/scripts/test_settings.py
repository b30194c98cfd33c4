"""The papers name every setting, and are what `make settings` writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values

from scripts.settings.papers import MarksMissing, papers
from scripts.settings.written import plain
from services.common.settings import Settings
from services.common.settings.about import variable
from services.common.settings.load import KNOWN, settings_of
from services.common.settings.names import OTHER_PREFIXES

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"


@pytest.mark.parametrize("path", papers(ROOT), ids=lambda path: path.name)
def test_the_papers_are_as_they_would_be_written(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == papers(ROOT)[path], "run make settings"


def test_page_and_example_name_every_setting() -> None:
    page, example = PAGE.read_text(encoding="utf-8"), EXAMPLE.read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"| `{variable(name)}` |" in page
        assert f"\n#{variable(name)}=" in example
    for name in (*KNOWN, *(f"{prefix}*" for prefix in OTHER_PREFIXES)):
        assert f"`{name}`" in page


def test_the_example_without_its_comment_signs_is_the_defaults(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "env"
    path.write_text("\n".join(line.removeprefix("#") for line in lines if line.startswith("#FACEKIT_")))
    values = {name: value or "" for name, value in dotenv_values(path).items()}
    assert {variable(name): plain(field) for name, field in Settings.model_fields.items()}.items() <= values.items()
    assert settings_of(values) == settings_of({})


def test_what_others_wrote_around_the_marks_stays_and_marks_are_needed(tmp_path: Path) -> None:
    for path in papers(ROOT):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.relative_to(ROOT)).write_text(
            "before\n# settings: begin\nwritten before\n# settings: end\nafter\n"
        )
    example = papers(tmp_path)[tmp_path / ".env.example"]
    assert example.startswith("before\n# settings: begin\n# --- ")
    assert example.endswith("\n# settings: end\nafter\n") and "written before" not in example
    (tmp_path / "README.md").write_text("# settings: begin\n")
    with pytest.raises(MarksMissing, match=r"README\.md"):
        papers(tmp_path)
