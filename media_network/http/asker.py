"""Who asks, and whether such a one may say a verb: the column of callers, enforced where parties have identities."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from media_network.identity.identification import Identification, Peer
from media_network.identity.identity import IdentityKind
from media_network.messages.verb import Caller, Verb
from media_network.refusal import Reason, Refused

IDENTIFICATION = web.AppKey("identification", Identification)
"""Of an application whose callers show who they are."""

_SAYS = MappingProxyType(
    {
        IdentityKind.BLADE: frozenset({Caller.DIRECTOR, Caller.ENGINE}),
        IdentityKind.CENTER: frozenset({Caller.CENTER}),
        IdentityKind.HEADQUARTERS: frozenset({Caller.HEADQUARTERS}),
        IdentityKind.ACCOUNTS: frozenset[Caller](),
        IdentityKind.OPERATOR: frozenset({Caller.OPERATOR}),
    }
)
"""Which of a station's blades directs is decided by its chassis manager, and checked by whoever knows its blades."""
_UNKNOWN = Refused(Reason.NOT_ALLOWED, "no certificate that counts in this network was shown")


@dataclass(frozen=True)
class Asker:
    """Who asks."""

    host: str
    peer: Peer | None = None
    """Who that is; None where nobody shows it, or who does does not count."""
    identified: bool = False
    """Whether it is asked at a port where everybody shows it."""

    @property
    def name(self) -> str:
        """For a log, and to tell the askers of one host from each other."""
        return f"{self.peer.identity} at {self.host}" if self.peer else self.host

    def refusal(self, verb: Verb[Any, Any]) -> Refused | None:
        """What there is against this one's saying a verb; nothing where nobody shows who he is."""
        if not self.identified:
            return None
        if self.peer is None:
            return _UNKNOWN
        if Caller.ANYBODY in verb.callers or not _SAYS[self.peer.identity.kind].isdisjoint(verb.callers):
            return None
        said_by = " and ".join(verb.callers)
        return Refused(Reason.NOT_ALLOWED, f"{verb.path} is said by {said_by}, and not by {self.peer.identity}")


def asker_of(request: web.Request) -> Asker:
    """Who has sent a request."""
    host, identification = request.remote or "", request.app.get(IDENTIFICATION)
    if identification is None:
        return Asker(host)
    return Asker(host, identification.peer(request.transport, host), identified=True)
