"""The LAN interface without I/O: a datagram and the time go in; datagrams and requests to be passed on come out."""

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol, TypeAlias

from msgspec import Struct

from blade_agent.backplane.message import (
    CHASSIS_MANAGER_ADDRESS,
    BadMessage,
    CompletionCode,
    Request,
    Response,
    decode,
)
from blade_agent.chassis_manager.lan.bridge import (
    Bridged,
    NotBridged,
    SendMessageCompletion,
    is_send_message,
    read_send_message,
    response_of,
)
from blade_agent.chassis_manager.lan.command_table import LAN_CHANNEL, CommandTable
from blade_agent.chassis_manager.lan.lan_parameters import LanParameters
from blade_agent.chassis_manager.lan.login import Login
from blade_agent.chassis_manager.lan.packet import (
    MAX_DATAGRAM_BYTES,
    LanFault,
    Packet,
    PacketDropped,
    PayloadType,
    Ping,
    pong,
    read,
    write,
)
from blade_agent.chassis_manager.lan.privileges import needed_privilege
from blade_agent.chassis_manager.lan.session import LanSession, SessionTable
from blade_agent.chassis_manager.lan.session_commands import SessionCommands
from blade_agent.chassis_manager.lan.sol_commands import SolCommands
from blade_agent.chassis_manager.lan.sol_stream import Console
from blade_agent.chassis_manager.lan.user_commands import UserCommands
from blade_agent.chassis_manager.lan.users import LanUser, Users
from media_network.address import Address


class Datagram(Struct, frozen=True):
    """Something to be sent."""

    octets: bytes
    to: Address


Outgoing: TypeAlias = Datagram | Bridged


def no_console(_slot: int) -> Console | None:
    """There is none to be read."""
    return None


class ControllerAt20h(Protocol):
    """Who carries out what is no matter of a session."""

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of its commands."""
        ...

    def answer(self, request: Request) -> Response:
        """Carry a request out."""
        ...


class Endpoint:
    """One chassis manager as IPMI tools see it. `faults` counts the datagrams that were dropped."""

    def __init__(
        self,
        *,
        guid: bytes,
        users: Iterable[LanUser],
        controller: ControllerAt20h,
        rng: Random,
        login_failed: Callable[[int], None] | None = None,
        consoles: Iterable[int] = (),
        open_console: Callable[[int], Console | None] = no_console,
    ) -> None:
        """Take who the manager is, who may log in, who carries out what is no matter of the session, and a source of
        secrets. `login_failed` is called with how many wrong passwords there have been in all. `consoles` are the
        slots whose consoles can be read, and `open_console` opens one; None if that cannot be done now.

        Session ids, keys and initialization vectors are drawn from `rng`: on a network it is a `random.SystemRandom`.
        """
        known = Users(users, rng)
        self.sessions = SessionTable()
        self.login = Login(users=known, sessions=self.sessions, guid=guid, rng=rng, failed=login_failed)
        self.faults: Counter[LanFault] = Counter()
        self.parameters = LanParameters()
        self.sol = SolCommands(self.sessions, consoles, open_console, lambda: self.parameters.facts.port)
        self.commands = CommandTable(
            (
                *SessionCommands(self.sessions, known, guid).entries(),
                *UserCommands(known).entries(),
                *self.parameters.entries(),
                *self.sol.entries(LAN_CHANNEL),
            )
        )
        self._controller = controller
        self._rng = rng

    def receive(self, octets: bytes, peer: Address, now: float) -> list[Outgoing]:
        """Take a datagram. Every `Bridged` that comes out is to be passed on, and `passed_on` told of it."""
        try:
            packet = read(octets)
            if isinstance(packet, Ping):
                return [Datagram(pong(packet), peer)]
            if packet.session:
                return self._within(packet, peer, now)
            return [Datagram(write(self._outside(packet, peer, now)), peer)]
        except PacketDropped as error:
            self.faults[error.fault] += 1
            return []

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return min((due for due in (self.login.due, self.sol.due) if due is not None), default=None)

    def tick(self, now: float) -> list[Datagram]:
        """Do what is due: give up logins that take too long; give what consoles have to say."""
        self.login.tick(now)
        return [self._said(session, payload) for session, payload in self.sol.tick(now)]

    def passed_on(self, bridged: Bridged, *, taken: bool) -> list[Datagram]:
        """Answer the Send Message of a request, which the backplane took or did not take."""
        session = self.sessions.find(bridged.session)
        if session is None:
            return []
        if not taken:
            session.bridged.discard(bridged.request)
        completion = CompletionCode.OK if taken else SendMessageCompletion.NOT_DELIVERED
        return [self._sealed(session, bridged.carrier.respond(completion))]

    def answered(self, bridged: Bridged, answer: Response | None) -> list[Datagram]:
        """Give the console the response to a request that was passed on; None if there is none."""
        session = self.sessions.find(bridged.session)
        if session is None:
            return []
        session.bridged.discard(bridged.request)
        return [self._sealed(session, response_of(bridged, answer))]

    def _outside(self, packet: Packet, peer: Address, now: float) -> Packet:
        """Answer a packet that is of no session: logins, and the few questions that come before them."""
        if packet.payload_type != PayloadType.IPMI:
            return self.login.receive(packet, peer, now)
        response = self.commands.answer(_request(packet.payload), None, now)
        return Packet(payload=response.encode(), plus=packet.plus)

    def _within(self, packet: Packet, peer: Address, now: float) -> list[Outgoing]:
        session = self.sessions.find(packet.session)
        if session is None or session.expired(now):
            raise PacketDropped(LanFault.UNKNOWN_SESSION)
        payload = session.open(packet, peer, now)
        if packet.payload_type == PayloadType.SOL:
            return [self._said(session, answer) for answer in self.sol.receive(session, payload, now)]
        if packet.payload_type != PayloadType.IPMI:
            raise PacketDropped(LanFault.UNKNOWN_PAYLOAD)
        request = _request(payload)
        if is_send_message(request):
            return self._bridge(request, session)
        return [self._sealed(session, self._carried_out(request, session, now))]

    def _carried_out(self, request: Request, session: LanSession, now: float) -> Response:
        """Sessions and channels are matters of this room; all else is the controller's at 20h, if the user may."""
        if self.commands.knows(request):
            return self.commands.answer(request, session, now)
        needed = needed_privilege(request)
        if self._controller.knows(request) and (needed is None or session.privilege < needed):
            return request.respond(CompletionCode.INSUFFICIENT_PRIVILEGE)
        return self._controller.answer(request)

    def _bridge(self, carrier: Request, session: LanSession) -> list[Outgoing]:
        try:
            bridged = read_send_message(carrier, session)
        except NotBridged as error:
            return [self._sealed(session, carrier.respond(error.completion))]
        if bridged.request in session.bridged:
            # The console asks once more for what is on its way already.
            return [*self.passed_on(bridged, taken=True)]
        session.bridged.add(bridged.request)
        return [bridged]

    def _said(self, session: LanSession, payload: bytes) -> Datagram:
        return Datagram(session.seal(payload, self._rng, PayloadType.SOL), session.peer)

    def _sealed(self, session: LanSession, response: Response) -> Datagram:
        return Datagram(session.seal(response.encode(), self._rng), session.peer)


def _request(payload: bytes) -> Request:
    try:
        message = decode(payload, MAX_DATAGRAM_BYTES)
    except BadMessage as error:
        raise PacketDropped(LanFault.BAD_MESSAGE) from error
    if not isinstance(message, Request) or message.responder != CHASSIS_MANAGER_ADDRESS:
        raise PacketDropped(LanFault.BAD_MESSAGE)
    return message
