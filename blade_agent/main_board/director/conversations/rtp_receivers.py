"""What receivers of RTP streams say (RFC 3550, 6.4), wherever in the station it arrived: that they are still there."""

import asyncio
from collections.abc import Iterable, Mapping

from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.sessions.events import ConsoleHeard
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from media_network.address import Address
from media_network.rtp import Reception


class RtpReceivers:
    """Leads each receiver's word to the session of its stream, if it comes from where that goes to."""

    def __init__(self, conversations: Mapping[str, Conversation]) -> None:
        """`conversations` are all, by session."""
        self._conversations = conversations
        self._sessions: dict[int, str] = {}
        """By the SSRC of the stream."""

    def know(self, terms: SessionTerms) -> None:
        """A session has begun."""
        if terms.rtp:
            self._sessions[terms.rtp.ssrc] = terms.session

    def forget(self, terms: SessionTerms) -> None:
        """A session is not known any more."""
        if terms.rtp and self._sessions.get(terms.rtp.ssrc) == terms.session:
            del self._sessions[terms.rtp.ssrc]

    def hear(self, received: Iterable[Reception]) -> None:
        """Receivers have spoken."""
        now = asyncio.get_running_loop().time()
        for reception in received:
            conversation = self._conversations.get(self._sessions.get(reception.ssrc, ""))
            if conversation and Address.parse(conversation.session.terms.console).host == reception.host:
                conversation.received_at = now
                conversation.hear(ConsoleHeard())
