"""Language: how the types of a JSON schema are written in one language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Language:
    """`plain` is by JSON type; `any` stands where a schema says nothing. In the patterns `{}` is what is inside."""

    plain: Mapping[str, str]
    any: str
    array: str
    pair: str
    mapping: str
    literal: str
    literals_between: str

    def type_of(self, schema: JsonSchema) -> str:
        """Raises ValueError for a schema that it has no word for: better none than a wrong one."""
        match schema:
            case {"$ref": str(reference)}:
                return reference.rpartition("/")[2]
            case {"const": value}:
                return self.literals([value])
            case {"enum": list(values)}:
                return self.literals(values)
            case {"anyOf": list(choices)}:
                return " | ".join(dict.fromkeys(map(self.type_of, choices)))
            case {"type": "array", "prefixItems": list(items)}:
                return self.pair.format(", ".join(map(self.type_of, items)))
            case {"type": "array", "items": dict(items)}:
                return self.array.format(self.type_of(items))
            case {"type": "object", "additionalProperties": dict(values)}:
                return self.mapping.format(self.type_of(values))
            case {"type": "object", "additionalProperties": True}:
                return self.mapping.format(self.any)
            case {"type": str(name)} if name in self.plain:
                return self.plain[name]
        raise ValueError(f"no type is known for {json.dumps(schema)}")

    def literals(self, values: list[Any]) -> str:
        return self.literal.format(self.literals_between.join(json.dumps(value) for value in values))
