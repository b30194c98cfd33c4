"""The schemas as TypedDicts, for the client."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

from scripts.api_types.language import JsonSchema, Language

WIDTH: Final = 120
HEAD: Final = '''\
"""What the API answers. Written by `make types` from the OpenAPI document: change it there."""

from __future__ import annotations

from typing import {names}
'''

PYTHON: Final = Language(
    plain={"string": "str", "number": "float", "integer": "int", "boolean": "bool", "null": "None"},
    any="Any",
    array="list[{}]",
    pair="tuple[{}]",
    mapping="dict[str, {}]",
    literal="Literal[{}]",
    literals_between=", ",
)


def module(schemas: Mapping[str, JsonSchema]) -> str:
    """Names of other shapes first, then the classes; formatted as ruff would."""
    names = [f"{name} = {PYTHON.type_of(schema)}" for name, schema in schemas.items() if "properties" not in schema]
    classes = [_class(name, schema) for name, schema in schemas.items() if "properties" in schema]
    body = "\n".join((*names, "")) + "\n\n" + "\n\n".join(classes)
    imported = [name for name in ("Any", "Literal", "NotRequired", "TypedDict", "final") if name in body]
    return HEAD.format(names=", ".join(imported)) + "\n" + body


def _class(name: str, schema: JsonSchema) -> str:
    lines = ["@final", f"class {name}(TypedDict):"]
    if description := schema.get("description"):
        *most, last = textwrap.wrap(f'"""{description}', WIDTH - 7)
        lines += [f"    {line}" for line in (*most, f'{last}"""')] + [""]
    for field, shape in schema["properties"].items():
        kind = PYTHON.type_of(shape)
        kind = kind if field in schema.get("required", ()) else f"NotRequired[{kind}]"
        lines += [f"    # {line}" for line in textwrap.wrap(shape.get("description", ""), WIDTH - 6)]
        lines.append(f"    {field}: {kind}")
    return "\n".join((*lines, ""))
