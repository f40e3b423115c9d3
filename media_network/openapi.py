"""The OpenAPI 3.1 description of a party, drawn from its verbs."""

from collections.abc import Sequence
from typing import Any

import msgspec

from media_network.messages.verb import Verb
from media_network.refusal import Refused


def describe(title: str, verbs: Sequence[Verb[Any, Any]]) -> dict[str, Any]:
    """The description as a JSON-like object: one `POST` path a verb, schemas from the message types."""
    types = [*(verb.request for verb in verbs), *(verb.reply for verb in verbs), Refused]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    requests, replies, refused = schemas[: len(verbs)], schemas[len(verbs) : -1], schemas[-1]
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "paths": {
            f"/{verb.path}": {"post": _operation(verb, request, reply, refused)}
            for verb, request, reply in zip(verbs, requests, replies, strict=True)
        },
        "components": {"schemas": components},
    }


def _operation(
    verb: Verb[Any, Any], request: dict[str, Any], reply: dict[str, Any], refused: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operationId": verb.path.replace("/", "-"),
        "summary": verb.summary,
        "parameters": [
            _header("Idempotency-Key", "Said again under the same key, it is done once.", {"type": "string"}),
            _header("Deadline-Ms", "How long the caller waits.", {"type": "integer", "minimum": 1}),
        ],
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {
            "200": {"description": "Done.", "content": _json(reply)},
            "409": {"description": "Refused, with the reason.", "content": _json(refused)},
        },
    }


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
