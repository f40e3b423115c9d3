"""The plain form: a JSON object, for those who have no other (docs/protocols/metadata.md).

{"title": "Sintel", "language": "en", "publish_at": "2026-12-24T20:00:00+01:00", "film": {"file": "sintel.mp4"}}
"""

import json
import re

from distribution_center.content.errors import BadMetadata
from distribution_center.content.metadata.program_metadata import FIELDS_MAX, METADATA_BYTES_MAX
from distribution_center.content.metadata.understanding import Fact, RawAsset, Vocabulary

VOCABULARY: Vocabulary = {
    Fact.TITLE: ("title",),
    Fact.SUMMARY: ("summary",),
    Fact.RATING: ("rating",),
    Fact.YEAR: ("year",),
    Fact.GENRE: ("genre", "genres"),
    Fact.LANGUAGE: ("language", "languages"),
    Fact.RUN_TIME: ("run_time",),
    Fact.WINDOW_BEGINS: ("publish_at",),
    Fact.WINDOW_ENDS: ("window_ends",),
    Fact.FILE: ("file",),
    Fact.LENGTH: ("length_bytes",),
    Fact.DIGEST: ("sha256", "md5"),
}
_ASSETS = ("film", "picture", "preview")
_DEPTH_MAX = 32
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


class _Pairs(list[tuple[str, object]]):
    """An object as it came: names in order, and again where they came again."""


def assets(octets: bytes, source: str) -> list[RawAsset]:
    """The program, then its files. Raises BadMetadata."""
    document = _read(octets, source)
    program = RawAsset("program")
    found = [program]
    for name, value in document:
        if name in _ASSETS and isinstance(value, _Pairs):
            asset = RawAsset(name)
            _keep(asset, value)
            found.append(asset)
        else:
            _keep_value(program, name, value)
    if sum(len(asset.fields) for asset in found) > FIELDS_MAX:
        raise BadMetadata(source, 0, f"there are more than {FIELDS_MAX} values in it")
    return found


def _read(octets: bytes, source: str) -> _Pairs:
    if len(octets) > METADATA_BYTES_MAX:
        raise BadMetadata(source, 0, f"it has {len(octets)} bytes, and metadata have at most {METADATA_BYTES_MAX}")
    try:
        text = octets.decode(json.detect_encoding(octets))
        if _depth(text) > _DEPTH_MAX:
            raise BadMetadata(source, 0, f"there are more than {_DEPTH_MAX} objects in each other")
        document = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise BadMetadata(source, error.lineno, "this is no JSON") from error
    except UnicodeError as error:
        raise BadMetadata(source, 0, "it is not in UTF-8") from error
    except ValueError as error:
        raise BadMetadata(source, 0, "it has a number that is none") from error
    if not isinstance(document, _Pairs):
        raise BadMetadata(source, 1, "it is no JSON object")
    return document


def _depth(text: str) -> int:
    """How deep brackets stand in each other: the reader takes a call for each."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        depth += (found[0] in "[{") - (found[0] in "]}")
        deepest = max(deepest, depth)
    return deepest


def _keep(asset: RawAsset, pairs: _Pairs, path: str = "") -> None:
    for name, value in pairs:
        _keep_value(asset, f"{path}{name}", value)


def _keep_value(asset: RawAsset, name: str, value: object) -> None:
    if isinstance(value, _Pairs):
        _keep(asset, value, f"{name}.")
    elif isinstance(value, list):
        for one in value:
            _keep_value(asset, name, one)
    else:
        asset.add(name, _text(value), 0)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _no_number(word: str) -> object:
    raise ValueError(word)
