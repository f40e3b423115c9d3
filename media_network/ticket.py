"""Tickets: what an engine asks for before it gives a byte.

A director signs; its engines, which got the key when they enlisted, verify. They go on taking what the director before
it has signed, and tell the next one that key: so a change of directors spoils no ticket. A ticket travels in a URL or
a message and is good for one holder (a session, or a copy) and one program.
"""

import hmac

from media_network.fields import ProgramId

COPY_HOLDER = "copy-"
"""Begins the holder of a ticket that another station's engine copies with; of all others a viewer fetches."""
_MAC_HEX_DIGITS = 32


class TicketKey:
    """The key of one director's term."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TicketKey) and hmac.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def hex(self) -> str:
        """The key, as engines and directors tell it to each other."""
        return self._key.hex()

    def sign(self, holder: str, program: ProgramId) -> str:
        """A ticket: `<holder>.<mac>`."""
        return f"{holder}.{self._mac(holder, program)}"

    def holder(self, ticket: str, program: ProgramId) -> str | None:
        """Who the ticket was signed for, or None if it was not signed for this program by this key."""
        holder, _, mac = ticket.rpartition(".")
        expected = self._mac(holder, program)
        return holder if hmac.compare_digest(_octets(mac), _octets(expected)) else None

    def _mac(self, holder: str, program: ProgramId) -> str:
        # The length in front keeps a holder and a program from being cut elsewhere than where they were joined.
        text = _octets(f"{len(holder)} {holder} {program}")
        return hmac.digest(self._key, text, "sha256").hex()[:_MAC_HEX_DIGITS]


def _octets(text: str) -> bytes:
    # A URL with bytes that are not UTF-8 arrives with surrogates in their place: no ticket, but no exception either.
    return text.encode(errors="surrogatepass")
