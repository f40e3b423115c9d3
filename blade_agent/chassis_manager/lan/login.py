"""Logging in: Open Session, then RAKP 1 to 4, until there is a session. No I/O.

Nothing that is sent here is authenticated before RAKP 3, so what is kept for it is bounded, and goes first.
"""

import hmac
from collections.abc import Callable
from random import Random

from msgspec import Struct

from blade_agent.chassis_manager.lan.attempts import Attempts
from blade_agent.chassis_manager.lan.cipher import CipherSuite, SessionKeys
from blade_agent.chassis_manager.lan.packet import LanFault, Packet, PacketDropped, PayloadType
from blade_agent.chassis_manager.lan.rakp import (
    RANDOM_BYTES,
    Exchange,
    Rakp1,
    Status,
    open_session_response,
    read_open_session,
    read_rakp_1,
    read_rakp_3,
    reply,
)
from blade_agent.chassis_manager.lan.session import LanSession, SessionTable
from blade_agent.chassis_manager.lan.users import LanUser, Privilege, Users
from media_network.address import Address

MAX_HALF_OPEN = 64
MAX_HALF_OPEN_OF_HOST = 8
HALF_OPEN_S = 10.0
"""How long a login may take. One that is given up after RAKP 2 counts as a wrong password: tools that find RAKP 2 wrong
say no more."""


class _HalfOpen(Struct, kw_only=True, eq=False):
    """A session that was asked for and whose user has not been proved."""

    managed_id: int
    console_id: int
    suite: CipherSuite
    limit: int
    peer: Address
    since: float
    claim: Rakp1 | None = None
    """What RAKP 1 said. Only the very same may be said again."""
    exchange: Exchange | None = None


class _Finished(Struct, frozen=True):
    """The last step of a login, to be answered once more if the answer got lost."""

    rakp_3: bytes
    rakp_4: bytes


class Login:
    """Makes sessions."""

    def __init__(
        self,
        *,
        users: Users,
        sessions: SessionTable,
        guid: bytes,
        rng: Random,
        failed: Callable[[int], None] | None = None,
    ) -> None:
        """Take the manager's GUID of 16 bytes; every id and random number comes from `rng`."""
        self.attempts = Attempts(failed)
        self._users = users
        self._sessions = sessions
        self._guid = guid
        self._rng = rng
        self._half_open: dict[int, _HalfOpen] = {}
        self._finished: dict[int, _Finished] = {}
        self._steps: dict[int, tuple[PayloadType, Callable[[bytes, Address, float], bytes]]] = {
            PayloadType.OPEN_SESSION_REQUEST: (PayloadType.OPEN_SESSION_RESPONSE, self._open_session),
            PayloadType.RAKP_1: (PayloadType.RAKP_2, self._rakp_1),
            PayloadType.RAKP_3: (PayloadType.RAKP_4, self._rakp_3),
        }

    @property
    def half_open(self) -> int:
        """How many logins are under way."""
        return len(self._half_open)

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return next((half_open.since + HALF_OPEN_S for half_open in self._half_open.values()), None)

    def tick(self, now: float) -> None:
        """Give up the logins that take too long."""
        for half_open in list(self._half_open.values()):
            if now < half_open.since + HALF_OPEN_S:
                break
            self._abandon(half_open, now)

    def receive(self, packet: Packet, peer: Address, now: float) -> Packet:
        """Take a step of a login and give the answer to it.

        Raises PacketDropped: it is no step of a login, or one that gets no answer now.
        """
        step = self._steps.get(packet.payload_type)
        if step is None or not packet.plus:
            raise PacketDropped(LanFault.UNKNOWN_PAYLOAD)
        if self.attempts.delayed(peer.host, now):
            raise PacketDropped(LanFault.PENALIZED)
        self.tick(now)
        answer_type, take = step
        return Packet(payload_type=answer_type, payload=take(packet.payload, peer, now))

    def _open_session(self, payload: bytes, peer: Address, now: float) -> bytes:
        request = read_open_session(payload)
        if request.suite is None:
            return reply(request.tag, Status.NO_SUCH_SUITE, request.console_id)
        if request.privilege and request.privilege not in list(Privilege):
            return reply(request.tag, Status.UNAUTHORIZED_ROLE, request.console_id)
        self._sessions.expire(now)
        if self._sessions.full:
            return reply(request.tag, Status.NO_ROOM, request.console_id)
        self._make_room(peer.host, now)
        limit = request.privilege or Privilege.ADMINISTRATOR
        managed_id = self._new_id()
        self._half_open[managed_id] = _HalfOpen(
            managed_id=managed_id,
            console_id=request.console_id,
            suite=request.suite,
            limit=limit,
            peer=peer,
            since=now,
        )
        return open_session_response(request, limit, managed_id, request.suite)

    def _rakp_1(self, payload: bytes, peer: Address, _now: float) -> bytes:
        claim = read_rakp_1(payload)
        half_open = self._of(claim.managed_id, peer)
        if half_open is None or half_open.claim not in (None, claim):
            return reply(claim.tag, Status.UNKNOWN_SESSION, 0)
        if half_open.exchange is None:
            half_open.claim = claim
            half_open.exchange = self._exchange(half_open, claim)
        exchange = half_open.exchange
        proof = exchange.managed_random + exchange.guid + exchange.rakp_2_code()
        return reply(claim.tag, Status.OK, half_open.console_id, proof)

    def _rakp_3(self, payload: bytes, peer: Address, now: float) -> bytes:
        proof = read_rakp_3(payload)
        if self._repeats(proof.managed_id, payload):
            return self._finished[proof.managed_id].rakp_4
        half_open = self._of(proof.managed_id, peer)
        if half_open is None or half_open.exchange is None:
            return reply(proof.tag, Status.UNKNOWN_SESSION, 0)
        exchange, console_id = half_open.exchange, half_open.console_id
        del self._half_open[half_open.managed_id]
        user = self._users.find(exchange.name)
        proved = hmac.compare_digest(exchange.rakp_3_code(), proof.code)
        if proof.status or not proved or user is None:
            # Some consoles that find RAKP 2 wrong say so here by their status: they were given another password.
            self._failed(peer, exchange, now)
            return reply(proof.tag, Status.WRONG_INTEGRITY_CODE, console_id)
        self.attempts.succeeded(peer.host)
        limit = self._limit(half_open, user)
        if limit is None:
            return reply(proof.tag, Status.UNAUTHORIZED_ROLE, console_id)
        if self._sessions.full:
            return reply(proof.tag, Status.NO_ROOM, console_id)
        self._begin(half_open, exchange, user, limit, now)
        answer = reply(proof.tag, Status.OK, console_id, exchange.rakp_4_code())
        self._forget_finished()
        self._finished[half_open.managed_id] = _Finished(payload, answer)
        return answer

    def _begin(self, half_open: _HalfOpen, exchange: Exchange, user: LanUser, limit: Privilege, now: float) -> None:
        self._sessions.add(
            LanSession(
                managed_id=half_open.managed_id,
                console_id=half_open.console_id,
                keys=SessionKeys(half_open.suite, exchange.session_integrity_key()),
                user=user,
                limit=limit,
                peer=half_open.peer,
                now=now,
            )
        )

    def _exchange(self, half_open: _HalfOpen, claim: Rakp1) -> Exchange:
        return Exchange(
            suite=half_open.suite,
            key=self._users.key(claim.name),
            console_id=half_open.console_id,
            managed_id=half_open.managed_id,
            console_random=claim.console_random,
            managed_random=self._rng.randbytes(RANDOM_BYTES),
            guid=self._guid,
            role=claim.role,
            name=claim.name,
        )

    @staticmethod
    def _limit(half_open: _HalfOpen, user: LanUser) -> Privilege | None:
        """Give the highest privilege of the session; None if the role that was asked for is beyond the user."""
        assert half_open.claim is not None  # noqa: S101 - there is no exchange without a claim
        role = half_open.claim.privilege
        if role > user.level or (role and role not in list(Privilege)):
            return None
        return Privilege(min(user.level, half_open.limit, role or user.level))

    def _of(self, managed_id: int, peer: Address) -> _HalfOpen | None:
        half_open = self._half_open.get(managed_id)
        return half_open if half_open is not None and half_open.peer == peer else None

    def _repeats(self, managed_id: int, rakp_3: bytes) -> bool:
        finished, session = self._finished.get(managed_id), self._sessions.find(managed_id)
        return finished is not None and session is not None and not session.used and finished.rakp_3 == rakp_3

    def _make_room(self, host: str, now: float) -> None:
        """The oldest goes: of this host, so that one host alone cannot keep the others out, or of all."""
        of_host = [half_open for half_open in self._half_open.values() if half_open.peer.host == host]
        if len(of_host) >= MAX_HALF_OPEN_OF_HOST:
            self._abandon(of_host[0], now)
        elif len(self._half_open) >= MAX_HALF_OPEN:
            del self._half_open[next(iter(self._half_open))]

    def _abandon(self, half_open: _HalfOpen, now: float) -> None:
        del self._half_open[half_open.managed_id]
        if half_open.exchange is not None:
            self._failed(half_open.peer, half_open.exchange, now)

    def _failed(self, peer: Address, exchange: Exchange, now: float) -> None:
        self.attempts.failed(peer.host, exchange.name.decode("ascii", "replace"), now)

    def _forget_finished(self) -> None:
        for managed_id in [managed_id for managed_id in self._finished if managed_id not in self._sessions]:
            del self._finished[managed_id]

    def _new_id(self) -> int:
        while True:
            managed_id = self._rng.getrandbits(32)
            if managed_id and managed_id not in self._half_open and managed_id not in self._sessions:
                return managed_id
