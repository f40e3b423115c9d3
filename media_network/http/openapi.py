"""The OpenAPI 3.1 description of a party, drawn from its verbs and resources."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from media_network.http.refusing import STATUSES
from media_network.messages.verb import Verb
from media_network.refusal import Refused

_PARAMETER = re.compile(r"{(\w+)(?::(?:[^{}]|{[^{}]*})*)?}")
"""A part of a path that varies, as aiohttp writes it: `{name}`, or `{name:what it matches}`."""


def describe(
    title: str,
    verbs: Sequence[Verb[Any, Any]],
    resources: Mapping[str, str] | None = None,
    uploads: Mapping[str, tuple[str, type[Struct]]] | None = None,
) -> dict[str, Any]:
    """The description as a JSON-like object: one `POST` path a verb, schemas from the message types; one `GET` path a
    resource, of which `resources` has the summaries by path; one `PUT` path an upload, with its summary and its answer.
    """
    uploads = uploads or {}
    answers = [*(verb.reply for verb in verbs), *(reply for _, reply in uploads.values())]
    types = [*(verb.request for verb in verbs), *answers, Refused]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    requests, replies, refused = schemas[: len(verbs)], schemas[len(verbs) : -1], schemas[-1]
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "paths": {
            f"/{verb.path}": {"post": _operation(verb, request, reply, refused)}
            for verb, request, reply in zip(verbs, requests, replies[: len(verbs)], strict=True)
        }
        | {_PARAMETER.sub(r"{\1}", path): {"get": _get(path, summary)} for path, summary in (resources or {}).items()}
        | {
            _PARAMETER.sub(r"{\1}", path): {"put": _put(path, summary, reply, refused)}
            for (path, (summary, _)), reply in zip(uploads.items(), replies[len(verbs) :], strict=True)
        },
        "components": {"schemas": components},
    }


def _operation(
    verb: Verb[Any, Any], request: dict[str, Any], reply: dict[str, Any], refused: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operationId": verb.path.replace("/", "-"),
        "summary": verb.summary,
        "x-callers": list(verb.callers),
        "parameters": [
            _header("Idempotency-Key", "Said again under the same key, it is done once.", {"type": "string"}),
            _header("Deadline-Ms", "How long the caller waits.", {"type": "integer", "minimum": 1}),
        ],
        "requestBody": {"required": True, "content": _json(request)},
        "responses": _answers(reply, refused),
    }


def _answers(reply: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any]:
    return {
        "200": {"description": "Done.", "content": _json(reply)},
        **{
            status: {"description": f"Refused: {', '.join(reasons)}.", "content": _json(refused)}
            for status, reasons in _refusals().items()
        },
    }


def _refusals() -> dict[str, list[str]]:
    """The reasons by the HTTP status they come under."""
    reasons = defaultdict(list)
    for reason, status in sorted(STATUSES.items(), key=lambda row: row[1]):
        reasons[str(status.value)].append(reason.value)
    return reasons


def _get(path: str, summary: str) -> dict[str, Any]:
    return {
        **_named("get", path, summary),
        "responses": {"default": {"description": "The resource, where it is found, or why it is not to be had."}},
    }


def _put(path: str, summary: str, reply: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any]:
    octets = {
        "application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    }
    return {
        **_named("put", path, summary),
        "requestBody": {"required": True, "content": octets},
        "responses": _answers(reply, refused),
    }


def _named(method: str, path: str, summary: str) -> dict[str, Any]:
    words = re.findall(r"\w+", _PARAMETER.sub(r"\1", path))
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    return {
        "operationId": "-".join([method, *words]),
        **({"summary": summary} if summary else {}),
        "parameters": parameters,
    }


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
