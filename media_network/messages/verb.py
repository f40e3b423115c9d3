"""A verb: a message with its answer, the path it is posted to, who says it and where, and what it may weigh."""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

Request = TypeVar("Request", bound=Struct)
Reply = TypeVar("Reply", bound=Struct)

KIB = 1024
MIB = 1024 * KIB

SHORT_BYTES_MAX = 16 * KIB
"""What names things and counts them: a few hundred bytes, with every name as long as it may be a few thousand."""
STREAMS_BYTES_MAX = MIB
"""What names every stream of an engine: 113 bytes each, of 8192 at most."""


class Caller(StrEnum):
    """Who says a verb. Where parties show who they are, others are refused (`media_network/http/asker.py`)."""

    DIRECTOR = "director"
    ENGINE = "engine"
    CONSOLE = "console"
    CENTER = "center"
    HEADQUARTERS = "headquarters"
    """The media asset management of several centers."""
    OPERATOR = "operator"
    """A person, through a command or a page."""
    ANYBODY = "anybody"
    """Whoever looks."""


class Port(StrEnum):
    """Where a verb is answered. A blade and a center have two ports each."""

    CONTROL = "control"
    """Machines and operators speak to machines here."""
    MEDIA = "media"
    """Consoles are served here; players and copying engines fetch here."""


@dataclass(frozen=True)
class Verb(Generic[Request, Reply]):
    """One kind of message: `POST /<path>` with `request` as JSON; 200 with `reply`, or a `Refused` under another."""

    path: str
    request: type[Request]
    reply: type[Reply]
    summary: str
    """One sentence, with the claim it comes from; what OpenAPI shows."""
    _: KW_ONLY
    callers: tuple[Caller, ...]
    request_bytes_max: int = SHORT_BYTES_MAX
    """More of a request is not read."""
    reply_bytes_max: int = SHORT_BYTES_MAX
    """More of an answer, be it a refusal, is not read."""
    reads: bool = False
    """Whether it only asks: said twice under one key it is answered twice, and its answer is kept for nobody."""

    def __post_init__(self) -> None:
        """Raises ValueError: nobody would say it."""
        if not self.callers:
            raise ValueError(f"nobody says {self.path}")

    @property
    def ports(self) -> frozenset[Port]:
        """Where it is answered: at the media port for consoles, at the control port for everybody else."""
        return frozenset(Port.MEDIA if caller is Caller.CONSOLE else Port.CONTROL for caller in self.callers)


class Done(Struct, frozen=True):
    """The answer where nothing needs to be said but that it was done."""
