"""Why a message cannot be taken, for whoever sent it: the key at fault, and what it may be."""

from typing import Any

import msgspec
from msgspec import Struct

from media_network.strict_reading import StrictReader

_READ_AGAIN_BYTES_MAX = 1024
_UNFIT = "it is not what this is asked with"


class _Wrong(Exception):
    """Where a message is wrong, and why."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(at, reason)
        self.at = at
        self.reason = reason


def why_unread(octets: bytes | memoryview, kind: type[Struct]) -> str:
    """Why these octets are no message of a kind; to be asked when msgspec has refused them.

    It reads them a second time, in about thirty times as long: what is longer than persons write is not looked into.
    """
    if len(octets) > _READ_AGAIN_BYTES_MAX:
        return _UNFIT
    try:
        document: Any = msgspec.json.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "it is not JSON"
    return why_unfit(document, kind)


def why_unfit(document: object, kind: type[Struct]) -> str:
    """The same of a document that is read already."""
    try:
        StrictReader("message", _Wrong, newer_keys=True).struct(kind, document, "")
    except _Wrong as wrong:
        return f"{wrong.at} {wrong.reason}".lstrip()
    except RecursionError:
        pass
    return _UNFIT
