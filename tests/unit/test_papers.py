"""The papers point at what there is: links, make targets, modules, places; and they name every problem and decision."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from services.common.bootstrap import SettingInvalid
from services.common.errors import every_error
from tests.papers import ROOT, section, text

PAPERS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "scripts").rglob("*.md"),
        *(ROOT / "services").rglob("model/**/*.md"),
    )
)
DECISIONS = [paper for paper in PAPERS if paper.startswith("docs/decisions/")]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as links have them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_somewhere(paper: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text(paper)):
        if "://" in link:
            continue
        file, _, heading = unquote(link).partition("#")
        target = (ROOT / paper).parent / file if file else ROOT / paper
        assert target.exists(), f"{paper}: {link}"
        if heading:
            assert heading in anchors(target), f"{paper}: {link}"


@pytest.mark.parametrize("paper", PAPERS)
def test_make_has_what_the_papers_name(paper: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))
    commands = re.findall(r"^make ([a-z][a-z-]+)", text(paper), flags=re.MULTILINE)
    named = re.findall(r"`make ([a-z][a-z-]+)", text(paper))
    assert {*commands, *named} <= targets


@pytest.mark.parametrize("paper", PAPERS)
def test_modules_that_the_papers_run_are_there(paper: str) -> None:
    for module in set(re.findall(r"python -m ((?:scripts|services|trainer)[\w.]*)", text(paper))):
        path = ROOT / module.rstrip(".").replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{paper}: {module}"


def test_the_places_of_a_new_stage_and_kind_are_there() -> None:
    rows = re.findall(r"^\| (\d+) \| `([^`]+)`", text("docs/extend.md"), flags=re.MULTILINE)
    assert len(rows) == 10
    assert all(int(number) <= 8 for number, _ in rows)
    assert all((ROOT / place).exists() for _, place in rows), rows


def test_every_problem_is_in_the_table() -> None:
    listed = set(re.findall(r"`([a-z_]+)`", section("docs/api.md", "Errors")))
    assert {error.code for error in (*every_error(), SettingInvalid)} <= listed


@pytest.mark.parametrize("paper", DECISIONS)
def test_a_decision_is_a_page_with_three_parts(paper: str) -> None:
    headings = re.findall(r"^## (.+)$", text(paper), flags=re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequence"]
    number, _, _ = Path(paper).name.partition("-")
    assert text(paper).startswith(f"# {number}. ")
    assert f"(decisions/{Path(paper).name})" in text("docs/design.md")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(Path(paper).name[:4]) for paper in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) <= 130
