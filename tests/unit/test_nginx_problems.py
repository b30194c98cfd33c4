"""nginx's own problems read as the gateway's: the same code has the same words, whoever says it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.common.errors import error_named
from services.common.schemas import Problem

CONFIGURATION = Path(__file__).resolve().parents[2] / "frontend" / "nginx.conf"
ANSWERS = re.findall(r"return (\d+) '(\{.*\})';", CONFIGURATION.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("status", "body"), ANSWERS, ids=[status for status, _ in ANSWERS])
def test_words(status: str, body: str) -> None:
    said = Problem.model_validate(json.loads(body))
    known = error_named(said.code)
    assert (said.status, said.code) == (int(status), known.code)
    assert (said.title, said.advice) == (known.title, known.advice)
    assert (said.retryable, said.about_photo) == (known.retryable, known.about_photo)


def test_they_are_found() -> None:
    assert len(ANSWERS) == 8
