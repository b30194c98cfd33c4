"""The OpenAPI document and /docs, a page without scripts that works where no other host can be reached."""

from __future__ import annotations

import html
import json
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from services.common.schemas import Problem

SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where keys are switched on"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_PUBLIC_TAGS: Final = frozenset({"health", "vocabulary"})

_DESCRIPTION: Final = """\
Faces in photos: where they are, how old they look, which emotion they show, and whether two of them are one person.

Submit a photo, get a job (202), wait for it with `GET /v1/jobs/{id}?wait=30`. Every error is an RFC 9457 problem with
a stable `code`, advice for people, and whether the same request can succeed later (`retryable`)."""

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
section{border-top:1px solid #8886;padding:.5rem 0 1rem}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:#8881;padding:.75rem;overflow:auto;border-radius:.4rem}h2 code{font-size:1.05rem}
table{border-collapse:collapse;width:100%}
td{padding:.2rem .8rem .2rem 0;vertical-align:top}td:first-child{white-space:nowrap}
"""
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_openapi(app: FastAPI) -> None:
    """Replaces FastAPI's document by one that tells problems as they are, and adds /docs."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(_page(document()), headers={"Content-Security-Policy": _POLICY})


def _document(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title="facekit", version=app.version, description=_DESCRIPTION, routes=app.routes)
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = SECURITY
    for operations in schema["paths"].values():
        for operation in operations.values():
            _tidy(operation)
    return schema


def _tidy(operation: dict[str, Any]) -> None:
    """FastAPI adds its own 422 where a route declares none; ours are problems. A parameter is left out, never null."""
    for parameter in operation.get("parameters", ()):
        shape = parameter["schema"]
        given = [each for each in shape.get("anyOf", ()) if each.get("type") != "null"]
        if len(given) == 1:
            del shape["anyOf"]
            parameter["schema"] = given[0] | shape
    invalid = operation["responses"].get("422", {})
    if "application/json" in invalid.get("content", {}):
        invalid["content"].pop("application/json")
        if not invalid["content"]:
            del operation["responses"]["422"]
    if not _PUBLIC_TAGS & set(operation.get("tags", ())):
        operation["security"] = [{"bearer": []}, {"apiKey": []}, {}]


def _page(schema: dict[str, Any]) -> str:
    sections = [
        _section(method, path, operation)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>facekit API</title><style>{_STYLE}</style>"
        f"<h1>facekit API <small>{html.escape(schema['info']['version'])}</small></h1>"
        f"{_paragraphs(schema['info']['description'])}"
        "<p>The same for programs: <a href=openapi.json>openapi.json</a></p>" + "".join(sections)
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (parameter["name"], parameter["in"], parameter.get("description", ""))
        for parameter in operation.get("parameters", ())
    ]
    form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {}).get("schema", {})
    rows += [
        (name, "form, required" if name in form["required"] else "form", value.get("description", ""))
        for name, value in form.get("properties", {}).items()
    ]
    rows += [(status, "answer", answer["description"]) for status, answer in operation["responses"].items()]
    cells = "".join(
        f"<tr><td><code>{html.escape(name)}</code><td>{html.escape(where)}<td>{html.escape(text)}"
        for name, where, text in rows
    )
    return (
        f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>"
        f"{_paragraphs(operation.get('description', ''))}<table>{cells}</table>{_examples(operation)}</section>"
    )


def _examples(operation: dict[str, Any]) -> str:
    shown = ""
    for status in ("200", "202"):
        content = operation["responses"].get(status, {}).get("content", {}).get("application/json", {})
        named = {name: example["value"] for name, example in content.get("examples", {}).items()}
        if "example" in content:
            named["example"] = content["example"]
        for name, value in named.items():
            body = html.escape(json.dumps(value, indent=2))
            shown += f"<details><summary>{status}: {html.escape(name)}</summary><pre>{body}</pre></details>"
    return shown


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n") if part.strip())
