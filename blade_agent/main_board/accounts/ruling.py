"""May a subscriber see a program, by what is known? Pure."""

from typing import NamedTuple

from msgspec import Struct

from media_network.fields import ProgramId
from media_network.messages.subscribers import ANY_PROGRAM, Grant, SubscriberState
from media_network.refusal import Reason, Refused


class KnownSubscriber(Struct, frozen=True, kw_only=True):
    """What subscriber management has said of a subscriber."""

    state: SubscriberState
    grants: tuple[Grant, ...] = ()
    at_ms: int
    """When, by this blade's clock."""


class KnownProgram(Struct, frozen=True, kw_only=True):
    """What it has said of a program."""

    packages: frozenset[ProgramId] = frozenset()
    at_ms: int


class Ruling(NamedTuple):
    """What follows."""

    may: bool | None
    """None: it is not known."""
    at_ms: int = 0
    """How old the oldest of it is that this follows from."""


_UNKNOWN = Ruling(None)
_STATES = {
    SubscriberState.SUSPENDED: "the subscription is suspended",
    SubscriberState.CANCELLED: "the subscription is cancelled",
    SubscriberState.NOBODY: "subscriber management knows no such subscriber",
}


def rule(subscriber: KnownSubscriber | None, known: KnownProgram | None, program: ProgramId, now_ms: int) -> Ruling:
    """Whether the subscriber may see the program at this moment; windows are looked at by the clock, offline too."""
    if subscriber is None:
        return _UNKNOWN
    if subscriber.state is not SubscriberState.ACTIVE:
        return Ruling(may=False, at_ms=subscriber.at_ms)
    live = [grant for grant in subscriber.grants if grant.from_ms <= now_ms < grant.until_ms]
    if any(not grant.package and grant.what in (program, ANY_PROGRAM) for grant in live):
        return Ruling(may=True, at_ms=subscriber.at_ms)
    packages = {grant.what for grant in live if grant.package}
    if not packages:
        return Ruling(may=False, at_ms=subscriber.at_ms)
    if known is None:
        return _UNKNOWN
    return Ruling(may=not packages.isdisjoint(known.packages), at_ms=min(subscriber.at_ms, known.at_ms))


def refusal(subscriber: KnownSubscriber | None, program: ProgramId) -> Refused:
    """What a viewer is told who may not."""
    state = subscriber.state if subscriber else SubscriberState.ACTIVE
    return Refused(Reason.NOT_ENTITLED, _STATES.get(state, f"the subscription does not cover {program} now"))
