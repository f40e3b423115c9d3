"""Why a message cannot be taken, for whoever sent it: the key at fault, and what it may be."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from media_network.strict_reading import StrictReader

_READ_AGAIN_BYTES_MAX = 1024
_UNFIT = "it is not what this is asked with"
_PLACE = re.compile(r" - at `\$\.?([\w.\[\]]{1,200})`\Z", re.ASCII)
_MISSING = re.compile(r"missing required field `(\w{1,80})`", re.ASCII)
"""Where msgspec says that a message is wrong: names of our own, and numbers."""


class _Wrong(Exception):
    """Where a message is wrong, and why."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(at, reason)
        self.at = at
        self.reason = reason


def why_unread(octets: bytes | memoryview, kind: type[Struct], refused: Exception) -> str:
    """Why these octets are no message of a kind; to be asked when msgspec has `refused` them.

    It reads them a second time, in about thirty times as long: of what is longer than persons write only the place is
    said, as msgspec has found it.
    """
    if len(octets) > _READ_AGAIN_BYTES_MAX:
        return _where(refused)
    try:
        document: Any = msgspec.json.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "it is not JSON"
    return why_unfit(document, kind)


def _where(refused: Exception) -> str:
    if not isinstance(refused, msgspec.ValidationError):
        return "it is not JSON"
    found, missing = _PLACE.search(str(refused)), _MISSING.search(str(refused))
    path = [*([found[1]] if found else []), *([missing[1]] if missing else [])]
    if not path:
        return _UNFIT
    return f"{'.'.join(path)} is missing" if missing else f"{path[0]} is not what it may be"


def why_unfit(document: object, kind: type[Struct]) -> str:
    """The same of a document that is read already."""
    try:
        StrictReader("message", _Wrong, newer_keys=True).struct(kind, document, "")
    except _Wrong as wrong:
        return f"{wrong.at} {wrong.reason}".lstrip()
    except RecursionError:
        pass
    return _UNFIT
