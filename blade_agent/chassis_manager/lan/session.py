"""A session: its keys, what was received in it, and what its user may do. And the table of all of them. No I/O."""

from collections.abc import Iterator
from random import Random

from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.cipher import BLOCK_BYTES, SessionKeys, Undecipherable
from blade_agent.chassis_manager.lan.packet import (
    LanFault,
    Packet,
    PacketDropped,
    PayloadType,
    covered,
    ends_well,
    write_protected,
)
from blade_agent.chassis_manager.lan.users import LanUser, Privilege
from media_network.address import Address

TIMEOUT_S = 60.0
"""A session ends when nothing authentic came for so long (IPMI 2.0, 6.12.15)."""
MAX_SESSIONS = 16
_WINDOW = 16
_SEQUENCES = 1 << 32


class ReplayWindow:
    """Which sequence numbers were seen: the highest, and of the 15 below it each one."""

    def __init__(self) -> None:
        self._highest = 0
        self._seen = 1  # bit n: highest - n

    def is_new(self, sequence: int) -> bool:
        """Tell whether this number may still come. 0 never does."""
        behind = self._highest - sequence
        return sequence > 0 and (behind < 0 or (behind < _WINDOW and not self._seen >> behind & 1))

    def mark(self, sequence: int) -> None:
        """Note a number that came in an authentic packet."""
        ahead = sequence - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, _WINDOW) | 1) & (1 << _WINDOW) - 1
            self._highest = sequence
        else:
            self._seen |= 1 << -ahead


class LanSession:
    """One login."""

    def __init__(
        self,
        *,
        managed_id: int,
        console_id: int,
        keys: SessionKeys,
        user: LanUser,
        limit: Privilege,
        peer: Address,
        now: float,
    ) -> None:
        self.managed_id = managed_id
        self.user = user
        self.limit = limit
        """Highest privilege that it can have."""
        self.privilege = Privilege.USER
        self.peer = peer
        """Where the last authentic packet came from."""
        self.handle = 0
        """Small number by which the session is called in commands."""
        self.bridged: set[Request] = set()
        """Requests that were passed on and whose answers are not there yet."""
        self.used = False
        """Whether anything authentic came since the login."""
        self.heard = now
        self._console_id = console_id
        self._keys = keys
        self._window = ReplayWindow()
        self._sequence = 0

    def open(self, packet: Packet, peer: Address, now: float) -> bytes:
        """Give the payload of a packet. One that is not authentic and new changes nothing.

        Raises PacketDropped: not authenticated and encrypted, or not as it has to be, or seen before.
        """
        if not packet.protected:
            raise PacketDropped(LanFault.UNPROTECTED)
        if not self._window.is_new(packet.sequence):
            raise PacketDropped(LanFault.REPLAYED)
        if not ends_well(packet, self._keys.code_bytes) or not self._keys.vouches_for(packet.octets):
            raise PacketDropped(LanFault.BAD_INTEGRITY)
        self._window.mark(packet.sequence)
        self.heard, self.peer, self.used = now, peer, True
        try:
            return self._keys.decrypt(packet.payload)
        except Undecipherable as error:
            raise PacketDropped(LanFault.BAD_PADDING) from error

    def seal(self, message: bytes, rng: Random, payload_type: PayloadType = PayloadType.IPMI) -> bytes:
        """Give the datagram of an IPMI message, or of another payload."""
        self._sequence = self._sequence % (_SEQUENCES - 1) + 1
        packet = Packet(
            payload_type=payload_type,
            payload=self._keys.encrypt(message, rng.randbytes(BLOCK_BYTES)),
            session=self._console_id,
            sequence=self._sequence,
            protected=True,
        )
        return write_protected(packet, self._keys.integrity_code(covered(packet)))

    def expired(self, now: float) -> bool:
        """Tell whether nothing was heard for too long."""
        return now - self.heard > TIMEOUT_S


class SessionTable:
    """The sessions that are open, by the id by which the manager is called."""

    def __init__(self) -> None:
        self._sessions: dict[int, LanSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[LanSession]:
        return iter(sorted(self._sessions.values(), key=lambda session: session.handle))

    def __contains__(self, managed_id: int) -> bool:
        return managed_id in self._sessions

    @property
    def full(self) -> bool:
        """Whether there is no room for another."""
        return len(self._sessions) >= MAX_SESSIONS

    def find(self, managed_id: int) -> LanSession | None:
        """Give the session with this id."""
        return self._sessions.get(managed_id)

    def add(self, session: LanSession) -> None:
        """Take a session in; it gets its handle. Only while the table is not full."""
        taken = {other.handle for other in self._sessions.values()}
        session.handle = next(handle for handle in range(1, MAX_SESSIONS + 1) if handle not in taken)
        self._sessions[session.managed_id] = session

    def close(self, session: LanSession) -> None:
        """End a session."""
        self._sessions.pop(session.managed_id, None)

    def expire(self, now: float) -> None:
        """End the sessions that have been silent for too long."""
        for session in [session for session in self._sessions.values() if session.expired(now)]:
            self.close(session)
