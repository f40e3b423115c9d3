"""One example of every message between machines, kept so that a change of the wire is seen.

    python -m tests.golden_messages

writes `tests/golden/messages`, a file a verb and two for the words and the refusals of all. It says what has been added
to the wire and what has changed on it. Until 0.1.0 a change is a line in CHANGELOG.md; from then on fields are only
added.
"""

import json
from pathlib import Path

import msgspec
from msgspec import inspect

from media_network.http.refusing import STATUSES
from media_network.refusal import Refused
from media_network.word import Word
from tests.verbs import VERBS

FOLDER = Path(__file__).parent / "golden" / "messages"

_PROGRAM, _SEGMENTS = "big-buck-bunny-1f3a", "0-41,43"
_ENGINE, _OTHER_ENGINE, _DIRECTOR = "127.1.2.3:8081", "127.1.2.4:8081", "127.1.2.1:8081"
_ENGINE_MEDIA, _OTHER_ENGINE_MEDIA, _DIRECTOR_MEDIA = "127.1.2.3:8080", "127.1.2.4:8080", "127.1.2.1:8080"
_TEXTS = {
    "boot": "0f1e2d3c4b5a6978",
    "center": "east",
    "centers": "east",
    "certificate": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
    "console": "127.1.0.9:5004",
    "control": _OTHER_ENGINE,
    "director": _DIRECTOR,
    "destination": "south",
    "doubtful": _OTHER_ENGINE,
    "engine": _ENGINE,
    "failed": _OTHER_ENGINE,
    "ingest": "8a7b6c5d4e3f2a1b",
    "leaving_director": _DIRECTOR,
    "leaving_station": "south",
    "media": _ENGINE_MEDIA,
    "order": "8a7b6c5d4e3f2a1b",
    "parts": _DIRECTOR_MEDIA,
    "program": _PROGRAM,
    "segments": _SEGMENTS,
    "session": "00112233445566778899aabb",
    "index": "cd" * 32,
    "language": "en",
    "media_type": "image/jpeg",
    "sha256": "ab" * 32,
    "source": "https://provider.example/big-buck-bunny.mp4",
    "source_director": _DIRECTOR,
    "source_station": "home",
    "station": "north",
    "stations": "north",
    "ticket": "00112233445566778899aabb.5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e",
    "ticket_key": "c0" * 32,
    "ticket_keys": "c0" * 32,
    "token_keys": '{"keys":[]}',
    "token": "eyJhbGciOiJFZDI1NTE5In0.eyJpc3MiOiJtZWRpYS1zdGF0aW9uIn0.c2lnbmF0dXJl",
    "renewal": "eyJhbGciOiJFZDI1NTE5In0.eyJpc3MiOiJtZWRpYS1zdGF0aW9uIn0.cmVuZXdhbA",
    "LogIn.name": "ada",
    "LogIn.password": "correct horse",
    "table": "ef" * 32,
    "title": "Big Buck Bunny",
    "Enlisted.media": _DIRECTOR_MEDIA,
    "Fetch.source": _OTHER_ENGINE_MEDIA,
    "ProgramRow.picture": "ab" * 32,
    "Redirect.engine": _ENGINE_MEDIA,
    "StationRegistered.media": "127.1.0.1:8080",
    "RegisterStation.media": _DIRECTOR_MEDIA,
    "Served.engine": _ENGINE_MEDIA,
    "SessionView.engine": _ENGINE_MEDIA,
    "StationDoor.media": _DIRECTOR_MEDIA,
    "CenterRow.address": "127.1.0.2:8081",
    "StationRow.media": _DIRECTOR_MEDIA,
}
_NUMBERS = {
    "Attachment.length_bytes": 54_321,
    "bytes": 1_250_200,
    "capacity_bps": 900_000_000,
    "clock_us": 12_345_678,
    "cursor_interval_ms": 100,
    "due_in_us": 40_000,
    "changed_at_ms": 1_767_225_600_000,
    "duration_ms": 2000,
    "duration_ticks": 180_000,
    "now_ms": 1_767_225_600_000,
    "ordered_at_ms": 1_767_225_600_000,
    "publish_at_ms": 1_767_225_600_000,
    "window_ends_ms": 1_798_761_600_000,
    "epoch": 5,
    "idle_interval_ms": 2000,
    "lease_ms": 4000,
    "length_bytes": 1_250_200,
    "longest_segment_ms": 12_000,
    "packet": 1400,
    "first_packet": 700,
    "rate_bps": 5_000_000,
    "reach": 1540,
    "report_interval_ms": 500,
    "segment_ms": 2000,
    "since_us": 98_000,
    "slot": 3,
    "tick_us": 40_000,
    "token_expires_at_ms": 1_767_229_200_000,
    "renewal_expires_at_ms": 1_769_817_600_000,
    "turn": 2,
    "valid_ms": 5000,
}
"""By the name of the field, or of the struct and the field; any other text is its name, any other number is 1."""


def example(kind):
    """A message of this type with everything said that may be said."""
    return msgspec.convert(_plain(inspect.type_info(kind), "", ""), kind)


def as_json(message):
    """What a message is on the wire."""
    return json.loads(msgspec.json.encode(message))


def messages():
    """What each file holds, by its name."""
    words = {kind.__name__: {word.value: word.name for word in kind} for kind in Word.__subclasses__()}
    statuses = {reason.value: status.value for reason, status in STATUSES.items()}
    return {
        "words.json": dict(sorted(words.items())),
        "refusals.json": {"answer": as_json(example(Refused)), "statuses": statuses},
    } | {
        f"{verb.path.replace('/', '.')}.json": {
            "request": as_json(example(verb.request)),
            "answer": as_json(example(verb.reply)),
        }
        for verb in VERBS
    }


def kept():
    """What the files hold, by their name."""
    return {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}


def compare(before, after, where=""):
    """What `after` has more than `before`, and what is otherwise in it or gone, each by its place: (added, changed)."""
    added, changed = [], []
    if isinstance(before, dict) and isinstance(after, dict):
        names = {name: f"{where}.{name}".lstrip(".") for name in before | after}
        parts = [(place, before.get(name, ...), after.get(name, ...)) for name, place in names.items()]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        parts = [(f"{where}[{number}]", *pair) for number, pair in enumerate(zip(before, after, strict=True))]
    else:
        return [], [] if (type(before), before) == (type(after), after) else [where]
    for place, one, other in parts:
        if one is ...:
            added.append(place)
        else:
            more, otherwise = compare(one, other, place)
            added += more
            changed += otherwise
    return added, changed


def _plain(info, struct, name):  # noqa: C901 -- a kind a line
    """A value of a type, as JSON has it, for the field of this name."""
    match info:
        case inspect.Metadata():
            return _plain(info.type, struct, name)
        case inspect.StructType():
            return {field.encode_name: _plain(field.type, info.cls.__name__, field.name) for field in info.fields}
        case inspect.UnionType():
            said = next(each for each in info.types if not isinstance(each, inspect.NoneType))
            return _plain(said, struct, name)
        case inspect.VarTupleType():
            return [_plain(info.item_type, struct, name)]
        case inspect.TupleType():
            return [_plain(each, struct, name) for each in info.item_types]
        case inspect.NamedTupleType():
            return [_plain(field.type, info.cls.__name__, field.name) for field in info.fields]
        case inspect.DictType():
            key = _TEXTS["station" if name == "stations" else "program"]
            return {key: _plain(info.value_type, struct, name)}
        case inspect.EnumType():
            return next(iter(info.cls)).value
        case inspect.StrType():
            return _TEXTS.get(f"{struct}.{name}", _TEXTS.get(name, name))
        case inspect.IntType():
            return _NUMBERS.get(f"{struct}.{name}", _NUMBERS.get(name, 1))
        case inspect.FloatType():
            return 0.5
        case inspect.BoolType():
            return True
    raise TypeError(f"no example of {info} is known")


def write():
    """Write the files anew; returns what `compare` says of the wire before and after."""
    before, after = kept(), messages()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in before.keys() - after.keys():
        (FOLDER / name).unlink()
    for name, message in after.items():
        (FOLDER / name).write_text(json.dumps(message, indent=2) + "\n")
    return compare(before, after)


if __name__ == "__main__":
    for verdict, places in zip(("added", "changed"), write(), strict=True):
        print(f"{verdict}: {', '.join(places) or 'nothing'}")
