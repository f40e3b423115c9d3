"""What a pushed session is opened with: as its console wants it, or as it was under the director before."""

from msgspec.structs import replace

from blade_agent.main_board.director.conversations.inheritance import first_own_turn
from blade_agent.main_board.director.conversations.steering import PAST_THE_END
from blade_agent.main_board.director.sessions.position import random_access
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.director.term import Term
from media_network.messages.steering import SeekStyle
from media_network.messages.streaming import Play
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.rtp import RtpPlace

_SILENT_INTERVALS = 3
_RECEIVERS_SILENT_S = 25.0
"""A receiver of RTP that has said nothing for five of its intervals has gone (RFC 3550, 6.3.5)."""
_NO_SERVICE_ADDRESS = Refused(Reason.UNABLE, "the station has no service address, which RTP would come from")


def terms_wanted(term: Term, request: Play, program: Program) -> SessionTerms | Refused:
    """Of a session that is asked for, and has no name yet."""
    begins = random_access(program, request.at_ms, SeekStyle.PRIOR)
    if begins is None:
        return PAST_THE_END
    if request.rtp and term.duty.service is None:
        return _NO_SERVICE_ADDRESS
    rng, rtp = term.rng, None
    if request.rtp:
        rtp = RtpPlace(ssrc=rng.getrandbits(32), sequence=rng.getrandbits(16), timestamp=rng.getrandbits(32))
    return replace(_terms(term, "", program, request.console, rtp), begins=begins)


def terms_inherited(
    term: Term, name: str, program: Program, console: str, *, known_turn: int, rtp: RtpPlace | None
) -> SessionTerms:
    """Of a session that began under an earlier director, which gave turns up to `known_turn` at least."""
    return replace(
        _terms(term, name, program, console, rtp),
        first_own_turn=first_own_turn(known_turn, term.epoch),
        leases_end_at=term.began_at + term.lease_s,
    )


def _terms(term: Term, name: str, program: Program, console: str, rtp: RtpPlace | None) -> SessionTerms:
    patience_s = term.duty.intervals.watching_ms * _SILENT_INTERVALS / 1000
    return SessionTerms(
        session=name,
        program=program,
        console=console,
        patience_s=max(patience_s, _RECEIVERS_SILENT_S) if rtp else patience_s,
        lease_s=term.lease_s,
        pause_s=term.duty.pause_s,
        rtp=rtp,
    )
