"""The schemas as JSDoc typedefs, for the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from scripts.api_types.language import JsonSchema, Language

WIDTH: Final = 120
UNBROKEN: Final = "\xa0"  # stands for the spaces of a type, which stays on one line
HEAD: Final = """\
// @ts-check
/** What the API answers. Written by `make types` from the OpenAPI document: change it there. */
"""

JSDOC: Final = Language(
    plain={"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"},
    any="any",
    array="Array<{}>",
    pair="[{}]",
    mapping="Record<string, {}>",
    literal="{}",
    literals_between=" | ",
)


def module(schemas: Mapping[str, JsonSchema]) -> str:
    return HEAD + "".join(_typedef(name, schema) for name, schema in schemas.items()) + "\nexport {};\n"


def _typedef(name: str, schema: JsonSchema) -> str:
    lines = ["", "/**", *_wrapped(schema.get("description", ""), " * ")]
    if "properties" in schema:
        lines.append(f" * @typedef {{object}} {name}")
        for field, shape in schema["properties"].items():
            shown = field if field in schema.get("required", ()) else f"[{field}]"
            kind = JSDOC.type_of(shape).replace(" ", UNBROKEN)
            text = f"@property {{{kind}}} {shown}  {shape.get('description', '')}"
            lines.extend(line.replace(UNBROKEN, " ") for line in _wrapped(text, " * ", " *   "))
    else:
        lines.append(f" * @typedef {{{JSDOC.type_of(schema)}}} {name}")
    return "\n".join((*lines, " */", ""))


def _wrapped(text: str, first: str, following: str | None = None) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=following or first,
        break_long_words=False,
        break_on_hyphens=False,
    )
