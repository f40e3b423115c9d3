"""A verb: a message with its answer, and the path it is posted to."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

Request = TypeVar("Request", bound=Struct)
Reply = TypeVar("Reply", bound=Struct)


@dataclass(frozen=True)
class Verb(Generic[Request, Reply]):
    """One kind of message: `POST /<path>` with `request` as JSON; 200 with `reply`, or a `Refused` under another."""

    path: str
    request: type[Request]
    reply: type[Reply]
    summary: str
    """One sentence, with the claim it comes from; what OpenAPI shows."""


class Done(Struct, frozen=True):
    """The answer where nothing needs to be said but that it was done."""
