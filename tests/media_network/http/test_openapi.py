"""`/openapi.json` is OpenAPI 3.1: structure by the specification's rules, and every verb of every receiver in it."""

import json
import re

import msgspec
import pytest

from media_network.http.openapi import describe
from media_network.http.refusing import STATUSES
from media_network.messages.verb import Done
from tests.verbs import VERBS

REFUSALS = {str(status.value) for status in STATUSES.values()}
SCHEMA_KEYWORDS = {
    "$ref", "type", "title", "description", "properties", "required", "items", "prefixItems", "anyOf", "enum", "const",
    "default", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "minItems", "maxItems", "additionalProperties", "propertyNames", "discriminator", "format",
}  # fmt: skip


@pytest.fixture(scope="module")
def description():
    return json.loads(msgspec.json.encode(describe("everything", VERBS)))


RESOURCES = {
    "/programs/{program}/playlist.m3u8": "The playlist of a program.",
    r"/segments/{program:[a-z]{1,9}}/{segment:0|[1-9][0-9]{0,5}}.ts": "",
}


def test_resources_are_there_with_the_parts_of_their_paths_that_vary():
    paths = describe("everything", VERBS[:1], RESOURCES)["paths"]
    assert set(paths) == {
        f"/{VERBS[0].path}",
        "/programs/{program}/playlist.m3u8",
        "/segments/{program}/{segment}.ts",
    }
    playlist, segment = (paths[path]["get"] for path in list(paths)[1:])
    assert playlist["summary"] == "The playlist of a program."
    assert "summary" not in segment
    for operation, names in ((playlist, ["program"]), (segment, ["program", "segment"])):
        assert [parameter["name"] for parameter in operation["parameters"]] == names
        assert all(each["in"] == "path" and each["required"] is True for each in operation["parameters"])
        assert operation["responses"]
    assert playlist["operationId"] != segment["operationId"]


def test_what_is_uploaded_is_there_with_its_answer():
    paths = describe("everything", [], uploads={"/uploads/{upload:[0-9]+}": ("A film.", Done)})["paths"]
    [(path, ways)] = paths.items()
    assert path == "/uploads/{upload}"
    put = ways["put"]
    assert (put["summary"], put["operationId"]) == ("A film.", "put-uploads-upload")
    assert [parameter["name"] for parameter in put["parameters"]] == ["upload"]
    assert set(put["requestBody"]["content"]) == {"application/octet-stream"}
    assert put["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Done")
    assert set(put["responses"]) == {"200"} | REFUSALS


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def schemas(schema):
    """A JSON Schema object and all below it."""
    yield schema
    for value in schema.get("properties", {}).values():
        yield from schemas(value)
    for key in ("anyOf", "prefixItems"):
        for value in schema.get(key, ()):
            yield from schemas(value)
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(key), dict):
            yield from schemas(schema[key])


def test_root(description):
    assert re.fullmatch(r"3\.1\.\d+", description["openapi"])
    assert set(description) == {"openapi", "info", "paths", "components"}
    assert description["info"] == {"title": "everything", "version": "1"}
    assert all(path.startswith("/") for path in description["paths"])


def test_every_verb_is_there_with_its_schemas(description):
    assert len(VERBS) > 20
    assert set(description["paths"]) == {f"/{verb.path}" for verb in VERBS}
    for verb in VERBS:
        post = description["paths"][f"/{verb.path}"]["post"]
        assert post["summary"] == verb.summary
        assert post["x-callers"] == [caller.value for caller in verb.callers]
        assert post["requestBody"]["required"] is True
        said = {
            "request": post["requestBody"]["content"],
            "200": post["responses"]["200"]["content"],
        } | {status: post["responses"][status]["content"] for status in REFUSALS}
        assert set(said) == {"request", *post["responses"]}
        names = {part: media["application/json"]["schema"]["$ref"].rpartition("/")[2] for part, media in said.items()}
        assert names == {"request": verb.request.__name__, "200": verb.reply.__name__} | dict.fromkeys(
            REFUSALS, "Refused"
        )
        for name, kind in ((names["request"], verb.request), (names["200"], verb.reply)):
            fields = {field.encode_name for field in msgspec.structs.fields(kind)}
            assert set(description["components"]["schemas"][name]["properties"]) == fields


def test_verbs_are_posted_to_their_receiver():
    for verb in VERBS:
        assert re.fullmatch(
            r"(authentication|billing|content|director|engine|headquarters|registry|subscribers)/[a-z][a-z-]*",
            verb.path,
        )
        assert verb.summary.endswith(".")
    assert len({verb.path for verb in VERBS}) == len(VERBS)


def test_operations(description):
    operations = [item["post"] for item in description["paths"].values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    for operation in operations:
        assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
        assert all(response["description"] for response in operation["responses"].values())
        for parameter in operation["parameters"]:
            assert parameter["in"] == "header"
            assert set(parameter) == {"name", "in", "required", "description", "schema"}


def test_each_reason_is_said_under_its_status(description):
    responses = description["paths"]["/director/play"]["post"]["responses"]
    for reason, status in STATUSES.items():
        assert re.search(rf"\b{reason}\b", responses[str(status.value)]["description"])


def test_every_reference_leads_somewhere(description):
    known = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert set(references(description["paths"])) <= known
    assert set(references(description["components"])) <= known
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in description["components"]["schemas"])


def test_components_are_json_schema(description):
    for component in description["components"]["schemas"].values():
        for schema in schemas(component):
            assert set(schema) <= SCHEMA_KEYWORDS
            assert set(schema.get("required", ())) <= set(schema.get("properties", ()))
            assert "nullable" not in schema
