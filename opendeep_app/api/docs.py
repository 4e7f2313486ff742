"""The documentation page, made from the OpenAPI document; it loads nothing from elsewhere."""

import json
from html import escape
from typing import Any

Schema = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#e4e6eb, #2b2f38); --soft: light-dark(#5b6270, #9aa3b2);
  --paper: light-dark(#fff, #14161a); --box: light-dark(#f6f7f9, #1b1e24); --accent: light-dark(#3e63dd, #8da4ef); }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); font: 15px/1.55 system-ui, sans-serif;
  display: grid; grid-template-columns: 16rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; border-right: 1px solid var(--line) }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none }
nav a:hover { color: var(--accent) }
nav b { display: block; margin: 1rem 0 .25rem }
main { max-width: 56rem; padding: 1.5rem 2rem 6rem }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem }
h3 { font-size: 1rem } h4 { margin: 1.2rem 0 .3rem; font-size: .85rem; color: var(--soft) }
code, pre { font: 13px/1.5 ui-monospace, monospace }
pre { background: var(--box); padding: .8rem 1rem; border-radius: 8px; overflow: auto }
.method { display: inline-block; min-width: 3.6rem; color: var(--accent); font-weight: 600 }
table { width: 100%; border-collapse: collapse }
td { border-top: 1px solid var(--line); padding: .4rem .6rem .4rem 0; vertical-align: top }
td:first-child { width: 14rem } small, .soft { color: var(--soft) }
@media (max-width: 50rem) { body { display: block } nav { position: static; height: auto; border: 0 } td:first-child { width: auto } }
"""

_EXAMPLE = """\
curl "$OPENDEEP/api/tasks" -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{"phone_number": "+1 202 555 0110", "goal": "Book a table for two on Friday at seven"}'"""


def page(openapi: Schema) -> str:
    """The whole page as HTML."""
    schemas = openapi["components"]["schemas"]
    operations = [
        (path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    links, tag = [], ""
    for _, _, operation in operations:
        if operation["tags"][0] != tag:
            tag = operation["tags"][0]
            links.append(f"<b>{escape(tag)}</b>")
        links.append(f'<a href="#{operation["operationId"]}">{escape(operation["summary"])}</a>')
    links.append("<b>Objects</b>")
    links += [f'<a href="#{name}">{name}</a>' for name in schemas]
    info = openapi["info"]
    intro = "".join(f"<p>{_prose(text)}</p>" for text in info["description"].split("\n\n"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f'<nav aria-label="Contents"><a href="/">{escape(info["title"])}</a>'
        f'<a href="/api/openapi.json">openapi.json</a>{"".join(links)}</nav>'
        f"<main><h1>{escape(info['title'])} API</h1>{intro}<pre>{escape(_EXAMPLE)}</pre>"
        + "".join(_operation(*each) for each in operations)
        + "".join(_object(name, schema) for name, schema in schemas.items())
        + "</main></body></html>"
    )


def _operation(path: str, method: str, operation: Schema) -> str:
    parts = [
        f'<section id="{operation["operationId"]}"><h3><span class="method">{method.upper()}</span>'
        f" <code>{escape(path)}</code></h3>",
        *(f"<p>{_prose(text)}</p>" for text in operation.get("description", "").split("\n\n")),
    ]
    if parameters := operation.get("parameters"):
        rows = [
            _row(each["name"], each["schema"], each.get("required", False), each.get("description"))
            for each in parameters
        ]
        parts.append(f"<h4>Parameters</h4><table>{''.join(rows)}</table>")
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<h4>Body</h4><p>{_type(body['schema'])} <small>{media_type}</small></p>")
        if "example" in body:
            parts.append(f"<pre>{escape(body['example'])}</pre>")
    for code, response in operation["responses"].items():
        if code.startswith("2"):
            content: Schema = next(iter(response.get("content", {}).values()), {})
            kind = _type(content["schema"]) if content else "nothing"
            parts.append(f"<h4>Answer</h4><p>{code}: {kind}</p>")
    problems = sorted(code for code in operation["responses"] if code.startswith("4"))
    parts.append(f'<p class="soft">Problems: {", ".join(problems)}</p></section>')
    return "".join(parts)


def _object(name: str, schema: Schema) -> str:
    required = schema.get("required", [])
    rows = [
        _row(field, each, field in required, each.get("description"))
        for field, each in schema.get("properties", {}).items()
    ]
    body = f"<table>{''.join(rows)}</table>" if rows else f"<p>{_type(schema)}</p>"
    about = _prose(schema.get("description", ""))
    return f'<section id="{name}"><h3>{name}</h3><p>{about}</p>{body}</section>'


def _row(name: str, schema: Schema, required: bool, description: str | None) -> str:
    notes = ["required"] if required else []
    if schema.get("default") not in (None, "", []):
        notes.append(f"default {json.dumps(schema['default'])}")
    about = f"{_prose(description or '')} <small>{escape(', '.join(notes))}</small>"
    return f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}<br>{about}</td></tr>"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    limits = {
        "minimum": "from", "maximum": "to", "minLength": "at least", "maxLength": "at most",
    }  # fmt: skip
    said = [f"{word} {schema[key]}" for key, word in limits.items() if key in schema]
    unit = ["characters"] if "maxLength" in schema else []
    kind = schema.get("format") or schema.get("type", "anything")
    return escape(" ".join([kind, *said, *unit]))


def _prose(text: str) -> str:
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
