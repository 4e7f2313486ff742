"""OpenAI's Responses API, as far as structured outputs go; deterministic."""

import time
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse

from opendeep_app.practice import analyst
from opendeep_app.practice.functions import Schema

LETTERS_PER_TOKEN = 4


async def create_response(request: Request) -> JSONResponse:
    """`POST /v1/responses`: the analysis of the call whose transcript the input holds."""
    try:
        body = orjson.loads(await request.body())
        prompt = _text_of(body["input"])
        model = str(body["model"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        return refusal(400, "invalid_request_error", f"Missing or malformed parameter: {error}")
    wanted = (body.get("text") or {}).get("format") or {"type": "text"}
    findings = analyst.analyse(prompt) if analyst.is_transcript(prompt) else {}
    if wanted.get("type") == "json_schema":
        answer = orjson.dumps(_conform(findings, wanted["schema"], wanted["schema"])).decode()
    else:
        answer = str(
            findings.get("summary", "This is the practice line; no language model is connected.")
        )
    return JSONResponse(_resource(body, model, prompt, answer))


def refusal(status: int, kind: str, message: str, code: str | None = None) -> JSONResponse:
    """An error as OpenAI writes it."""
    return JSONResponse(
        {"error": {"message": message, "type": kind, "param": None, "code": code}}, status
    )


def _text_of(content: Any) -> str:
    """All text in an input: a string, or messages with text or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text_of(part) for part in content)
    if isinstance(content, dict):
        return _text_of(content.get("content") or content.get("text") or "")
    return ""


def _conform(value: Any, schema: Schema, root: Schema) -> Any:
    """The value in the schema's shape; what the schema asks for and the value lacks is empty."""
    schema = _resolve(schema, root)
    if "anyOf" in schema:
        options = [_resolve(option, root) for option in schema["anyOf"]]
        if value is None and any(option.get("type") == "null" for option in options):
            return None
        return _conform(
            value, next(option for option in options if option.get("type") != "null"), root
        )
    if "enum" in schema:
        choices: list[Any] = schema["enum"]
        known = {str(choice).lower(): choice for choice in choices}
        return known.get(str(value).lower(), known.get("inconclusive", choices[0]))
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            given = value if isinstance(value, dict) else {}
            fields: Schema = schema.get("properties", {})
            return {name: _conform(given.get(name), each, root) for name, each in fields.items()}
        case "array":
            return [_conform(each, schema.get("items", {}), root) for each in value or []]
        case "boolean":
            return bool(value)
        case "integer":
            return int(value or 0)
        case "number":
            return float(value or 0)
        case "string":
            return "" if value is None else str(value)
    return value


def _resolve(schema: Schema, root: Schema) -> Schema:
    """Follows a `$ref` into the schema's definitions."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    resolved: Schema = target
    return resolved


def _resource(body: dict[str, Any], model: str, prompt: str, answer: str) -> dict[str, Any]:
    tokens_in, tokens_out = len(prompt) // LETTERS_PER_TOKEN, len(answer) // LETTERS_PER_TOKEN
    message = {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": answer, "annotations": [], "logprobs": []}],
    }
    return {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "model": model,
        "output": [message],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens_out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens_in + tokens_out,
        },
    }
