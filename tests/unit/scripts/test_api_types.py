"""The types of page and client are what the OpenAPI document says."""

from __future__ import annotations

import pytest

from scripts.api_types import jsdoc, typed_dicts
from scripts.api_types.__main__ import files, main
from scripts.api_types.jsdoc import JSDOC
from scripts.api_types.typed_dicts import PYTHON

TOY = {
    "Toy": {
        "description": "A toy.",
        "properties": {
            "name": {"type": "string", "description": "What it is called"},
            "wheels": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Toy"}},
        },
        "required": ["name", "parts"],
    },
    "Size": {"type": "string", "enum": ["small", "large"]},
}


def test_the_written_types_are_those_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text


def test_a_schema_for_the_client() -> None:
    text = typed_dicts.module(TOY)
    exec(text, {})
    assert "    # What it is called\n    name: str\n" in text
    assert "    wheels: NotRequired[int | None]\n" in text and 'Size = Literal["small", "large"]\n' in text


def test_a_schema_for_the_page() -> None:
    text = jsdoc.module(TOY)
    assert " * A toy.\n * @typedef {object} Toy\n * @property {string} name  What it is called\n" in text
    assert " * @property {number | null} [wheels]\n * @property {Array<Toy>} parts\n" in text
    assert ' * @typedef {"small" | "large"} Size\n' in text


@pytest.mark.parametrize("language", [JSDOC, PYTHON])
def test_what_no_type_says_is_refused(language: typed_dicts.Language) -> None:
    with pytest.raises(ValueError, match="no type is known"):
        language.type_of({"type": "object", "patternProperties": {}})
