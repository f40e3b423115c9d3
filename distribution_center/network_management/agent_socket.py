"""Asks SNMP agents by UDP: one socket for all, each request with a number of its own, so many under way at a time."""

import asyncio
import socket
from collections.abc import Callable
from random import Random

from distribution_center.network_management.poll_error import PollError
from media_network.address import Address
from media_network.snmp.ber import BerError
from media_network.snmp.client import MAX_MESSAGE_OCTETS, MAX_NUMBER, RemoteAgent, Reply, Then
from media_network.snmp.question import Question, Variable
from media_network.snmp.remote_engine import NotBelieved, open_message
from media_network.snmp.settings import UserSettings

_AT_ONCE = 32
"""So many of the longest answers are waiting at worst, and find room."""
_RECEIVE_BUFFER_OCTETS = 1 << 20
_BATCH = 32
"""Datagrams that are read before the loop's other work gets its turn."""
_TURNS_MAX = 4
"""How often an agent may have us ask again: its engine id, its clock, and both once more if it restarts meanwhile."""


WhomToAskAs = Callable[[Address], UserSettings]
"""The user that an agent answers."""


class AgentSocket:
    """Asks as users of SNMPv3."""

    def __init__(self, users: WhomToAskAs, *, timeout_s: float, retries: int, rng: Random) -> None:
        """Open the socket, in the running loop."""
        self._users, self._rng = users, rng
        self._timeout_s, self._sends = timeout_s, retries + 1
        self._agents: dict[Address, RemoteAgent] = {}
        self._asked: dict[int, _Exchange] = {}
        """By the number of each message that has been sent for it."""
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
        self._loop.add_reader(self._socket, self._receive)
        self.strays = 0
        """Datagrams that answered nothing: late, doubled, foreign, or not believed."""

    def close(self) -> None:
        """Hear nothing more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def keep_only(self, agents: set[Address]) -> None:
        """Forget all others."""
        self._agents = {agent: known for agent, known in self._agents.items() if agent in agents}

    async def ask(self, agent: Address, question: Question) -> list[Variable]:
        """Give what an agent answers. Raises `PollError`."""
        async with self._room:
            known = self._agents.get(agent)
            if known is None:
                known = self._agents[agent] = RemoteAgent(self._users(agent), self._rng)
            exchange = _Exchange(agent, known, question, self._loop.create_future(), self._sends)
            try:
                self._send_in_time(exchange)
                return await exchange.answered
            finally:
                exchange.end()
                self._expect_nothing(exchange)

    def _send_in_time(self, exchange: "_Exchange") -> None:
        """Send, and again if nothing comes in time."""
        if not exchange.sends:
            exchange.remote.forget()
            exchange.fail("nothing came in time", refused=False)
            return
        exchange.sends -= 1
        exchange.timer = self._loop.call_later(self._timeout_s, self._send_in_time, exchange)
        self._send(exchange)

    def _send(self, exchange: "_Exchange") -> None:
        number = self._rng.randint(1, MAX_NUMBER)
        while number in self._asked:
            number = self._rng.randint(1, MAX_NUMBER)
        self._asked[number] = exchange
        exchange.numbers.append(number)
        message = exchange.remote.write(exchange.question, number, self._loop.time())
        try:
            self._socket.sendto(message, exchange.agent)
        except BlockingIOError:
            pass  # the way out is full: as good as lost
        except OSError as error:
            exchange.fail(error.strerror or str(error), refused=False)

    def _expect_nothing(self, exchange: "_Exchange") -> None:
        """What comes yet for what was sent before is late or doubled."""
        for number in exchange.numbers:
            del self._asked[number]
        exchange.numbers.clear()

    def _receive(self) -> None:
        for _ in range(_BATCH):
            try:
                octets, source = self._socket.recvfrom(MAX_MESSAGE_OCTETS + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # what the kernel has to say of an earlier one
            try:
                taken = len(octets) <= MAX_MESSAGE_OCTETS and self._take(octets, source)
            except (BerError, NotBelieved):
                taken = False
            self.strays += not taken

    def _take(self, octets: bytes, source: tuple[str, int]) -> bool:
        """Tell whether a datagram was of use. Raises BerError, NotBelieved."""
        incoming = open_message(octets)
        exchange = self._asked.get(incoming.number)
        if exchange is None or exchange.agent != source or exchange.answered.done():
            return False
        reply = exchange.remote.read(incoming, exchange.question, self._loop.time())
        if reply.then is not Then.IGNORE:
            self._expect_nothing(exchange)
        if reply.then is Then.ASK_AGAIN:
            if exchange.turns == _TURNS_MAX:
                exchange.fail("it says again and again who it is and what time it has", refused=True)
            else:
                exchange.turns += 1
                self._send(exchange)
        else:
            exchange.settle(reply)
        return reply.then is not Then.IGNORE


class _Exchange:
    """A question, what was sent for it, and what becomes of it."""

    def __init__(
        self,
        agent: Address,
        remote: RemoteAgent,
        question: Question,
        answered: asyncio.Future[list[Variable]],
        sends: int,
    ) -> None:
        self.agent, self.remote, self.question = agent, remote, question
        self.answered = answered
        self.sends = sends
        """How often it may still be sent."""
        self.turns = 0
        self.numbers: list[int] = []
        self.timer: asyncio.TimerHandle | None = None

    def settle(self, reply: Reply) -> None:
        """Take the reply that ends it."""
        if reply.then is Then.DONE:
            self.answered.set_result(reply.variables)
        elif reply.then is Then.GIVE_UP:
            self.fail(reply.reason, refused=True)

    def fail(self, reason: str, *, refused: bool) -> None:
        """End it without an answer."""
        if not self.answered.done():
            self.answered.set_exception(PollError(self.agent, reason, refused=refused))

    def end(self) -> None:
        """Send it no more."""
        if self.timer is not None:
            self.timer.cancel()
