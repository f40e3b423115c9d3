"""What consoles want of their streams, from the moment at which they say so to its effect (claim 17)."""

from collections.abc import Awaitable, Callable

from blade_agent.main_board.asking_host import refuse_elsewhere
from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.sessions.events import (
    EndAsked,
    Event,
    PauseAsked,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
)
from blade_agent.main_board.director.sessions.position import end_of, place_of, random_access
from blade_agent.main_board.director.sessions.refusals import ANOTHER_DIRECTS
from blade_agent.main_board.director.sessions.states import Left, Opening, Paused, Redirected, Resuming, State
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.http.asker import Asker
from media_network.messages.steering import Bookmark, EndStream, Pause, Resume, Scale, Seek, Steered
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.trick import used_scale

_NOT_BEGUN = Refused(Reason.NOT_READY, "nothing of the stream has been sent yet")
_NOT_ITS = Refused(Reason.BAD_TICKET, "the ticket is not good for this session")
PAST_THE_END = Refused(Reason.NO_SUCH_RANGE, "the program is shorter than that")


class Steering:
    """Answers consoles that pause, resume, seek and end. Who shows a session's ticket is its console."""

    def __init__(
        self,
        term: Term,
        may_ask_for_others: Callable[[str], bool],
        find: Callable[[str], Conversation | Refused],
        inherit: Callable[[str, Bookmark], Awaitable[Conversation | Refused]],
    ) -> None:
        """`may_ask_for_others` says whether a host may have streams sent elsewhere; `find` gives the session of a name,
        or why there is none; `inherit` one that an earlier director paused."""
        self._term = term
        self._may_ask_for_others = may_ask_for_others
        self._find = find
        self._inherit = inherit

    async def pause(self, message: Pause) -> Steered | Refused:
        """Answer `PAUSE`, when nothing more is sent."""
        conversation = self._its(message.session, message.ticket)
        return await _steer(conversation, PauseAsked(), _has_paused)

    async def resume(self, message: Resume, asker: Asker) -> Steered | Refused:
        """Answer `RESUME`, when an engine has the stream. `host` is the one that asks."""
        return await _steer(await self._its_or_paused(message, asker.host), ResumeAsked(), _goes_on)

    async def seek(self, message: Seek, asker: Asker) -> Steered | Refused:
        """Answer `SEEK`, when an engine sends from there, or the stream is paused there."""
        conversation = await self._its_or_paused(message, asker.host)
        if isinstance(conversation, Refused):
            return conversation
        position = random_access(conversation.session.terms.program, message.to_ms, message.style)
        return PAST_THE_END if position is None else await _steer(conversation, SeekAsked(position), _goes_on)

    async def scale(self, message: Scale) -> Steered | Refused:
        """Answer `SCALE` (claim 21), when an engine sends at that speed. Segments that have no index show no pictures:
        such a program has its own speed only."""
        conversation = self._its(message.session, message.ticket)
        if isinstance(conversation, Refused):
            return conversation
        has_pictures = conversation.session.terms.program.segments[0].index is not None
        scale = used_scale(message.scale) if has_pictures else 1
        return await _steer(conversation, ScaleAsked(scale), _goes_on)

    async def end(self, message: EndStream) -> Done | Refused:
        """Answer `END_STREAM`."""
        conversation = self._its(message.session, message.ticket)
        if isinstance(conversation, Refused):
            return conversation
        conversation.hear(EndAsked())
        return Done()

    def _its(self, session: str, ticket: str) -> Conversation | Refused:
        conversation = self._find(session)
        if isinstance(conversation, Refused):
            return conversation
        program = conversation.session.terms.program.name
        return conversation if self._term.has_signed(ticket, session, program) else _NOT_ITS

    async def _its_or_paused(self, message: Resume | Seek, host: str) -> Conversation | Refused:
        """The session, also one that only the director before knew; its stream goes to whoever asks, as ever."""
        conversation = self._its(message.session, message.ticket)
        bookmark = message.bookmark
        if not (isinstance(conversation, Refused) and conversation.reason is Reason.UNKNOWN_SESSION and bookmark):
            return conversation
        if not self._term.has_inherited(message.ticket, message.session, bookmark.program):
            return (
                conversation if self._term.has_signed(message.ticket, message.session, bookmark.program) else _NOT_ITS
            )
        try:
            elsewhere = refuse_elsewhere(Address.parse(bookmark.console), host)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        if elsewhere and not self._may_ask_for_others(host):
            return elsewhere
        return await self._inherit(message.session, bookmark)


async def _steer(
    conversation: Conversation | Refused, wanted: Event, is_done: Callable[[State], bool]
) -> Steered | Refused:
    """Have a session hear what its console wants, and wait for the effect."""
    if isinstance(conversation, Refused):
        return conversation
    if isinstance(conversation.session.state, Opening | Redirected):
        return _NOT_BEGUN
    conversation.hear(wanted)
    state, program = await conversation.until(is_done), conversation.session.terms.program
    if isinstance(state, Left):
        return ANOTHER_DIRECTS
    place, scale, rtp = None, 1, None
    if isinstance(state, Paused):
        place, rtp = place_of(program, state.position), conversation.session.rtp_to_come
    elif turn := state.sender:
        place, scale = place_of(program, turn.at(program) or end_of(program)), turn.course.scale
        rtp = turn.rtp and turn.rtp.onwards(turn.packet)
    return Steered(state=state.shown, place=place, scale=scale, rtp=rtp)


def _has_paused(state: State) -> bool:
    """It has, or is not to any more."""
    return not (isinstance(state, Resuming) and state.aim.paused)


def _goes_on(state: State) -> bool:
    """Somebody sends, or nobody will."""
    return not isinstance(state, Resuming)
