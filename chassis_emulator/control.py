"""Orders to the environment: one JSON line out, one JSON line back, over a UNIX socket in the state folder.

The socket lies in a folder that only its owner may enter, so whoever reaches it may give orders.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from chassis_emulator.errors import EnvironmentLost, NotUp
from chassis_emulator.state_folder import StateFolder
from chassis_emulator.topology import Topology
from media_network.messages.verb import Done, Reply, Request, Verb
from media_network.refusal import Reason, Refused

_LINE_BYTES_MAX = 4 * 1024 * 1024


class AskNetwork(Struct, frozen=True):
    """Ask which network is up."""


class Network(Struct, frozen=True, kw_only=True):
    """The network that is up."""

    pid: int
    topology: Topology


class ListProcesses(Struct, frozen=True):
    """Ask for every process."""


class ProcessRow(Struct, frozen=True, kw_only=True):
    """A process of the network; what `ps` shows."""

    name: str
    network: int
    station: str | None
    slot: int | None
    role: str
    """Of a blade: `director`, `engine` or `unassigned`; else `center` or `chassis_manager`."""
    state: str
    """What the process says of itself, `running` while it says nothing; `stopped` or `crashed`."""
    pid: int | None
    address: str
    serial: str | None
    """Path of the service port."""
    http: str | None
    snmp: str | None
    ipmi: str | None
    epoch: int
    exit_code: int | None
    """How it ended; a negative one is the signal that ended it."""
    pss_bytes: int
    log: str


class ProcessRows(Struct, frozen=True):
    """Every process of the network."""

    processes: tuple[ProcessRow, ...]


class Revive(Struct, frozen=True):
    """Start every process that has ended."""


class Revived(Struct, frozen=True):
    """The processes that were started."""

    names: tuple[str, ...]


class AskReadiness(Struct, frozen=True):
    """Ask how much of the network serves."""


class StationReadiness(Struct, frozen=True, kw_only=True):
    """How far a station is."""

    station: str
    director: bool
    """Whether a director answers."""
    engines: int
    """Enlisted with it."""
    engines_wanted: int
    registered: bool
    """Whether the center knows it, with all its engines."""


class Readiness(Struct, frozen=True, kw_only=True):
    """How far the network is."""

    center: bool
    stations: tuple[StationReadiness, ...]
    ended: tuple[str, ...]
    """Processes that should live and do not."""


class EndNetwork(Struct, frozen=True):
    """End every process of the network, the environment last."""


NETWORK = Verb("network", AskNetwork, Network, "Which network is up.")
PROCESSES = Verb("processes", ListProcesses, ProcessRows, "Every process of the network.")
REVIVE = Verb("revive", Revive, Revived, "Start every process that has ended.")
READINESS = Verb("readiness", AskReadiness, Readiness, "How much of the network serves.")
END = Verb("end", EndNetwork, Done, "End the network.")


class _Order(Struct, frozen=True):
    verb: str
    request: msgspec.Raw


class _Answer(Struct, frozen=True):
    refused: Refused | None = None
    reply: msgspec.Raw = msgspec.Raw(b"null")


Answer = Callable[[Any], Coroutine[Any, Any, Struct]]
_order = msgspec.json.Decoder(_Order)


@asynccontextmanager
async def take_orders(path: Path, answers: Mapping[Verb[Any, Any], Answer]) -> AsyncIterator[None]:
    """Answer orders at `path` while the context is open."""
    by_path = {verb.path: (verb, answer) for verb, answer in answers.items()}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await _obey(line, by_path)) + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            # A line beyond all bounds, or a command that was interrupted: nothing is owed to either.
            pass
        finally:
            writer.close()

    listener = _listen(path)
    async with await asyncio.start_unix_server(converse, sock=listener, limit=_LINE_BYTES_MAX):
        yield


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(path) as short:
        listener.bind(short)
    path.chmod(0o600)
    return listener


async def _obey(line: bytes, answers: Mapping[str, tuple[Verb[Any, Any], Answer]]) -> _Answer:
    try:
        order = _order.decode(line)
        verb, answer = answers[order.verb]
        request = msgspec.json.decode(order.request, type=verb.request)
    except KeyError as error:
        return _Answer(Refused(Reason.BAD_MESSAGE, f"no order is called {error}"))
    except msgspec.MsgspecError as error:
        return _Answer(Refused(Reason.BAD_MESSAGE, str(error)))
    reply = await answer(request)
    if isinstance(reply, Refused):
        return _Answer(reply)
    return _Answer(reply=msgspec.Raw(msgspec.json.encode(reply)))


def order(folder: StateFolder, verb: Verb[Request, Reply], request: Request, *, timeout_s: float = 10.0) -> Reply:
    """Give an order from a command, which has no event loop. Raises NotUp, EnvironmentLost."""
    log = folder.log("environment")
    message = msgspec.json.encode(_Order(verb.path, msgspec.Raw(msgspec.json.encode(request)))) + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with _short(folder.control) as short:
                connection.connect(short)
            connection.sendall(message)
            with connection.makefile("rb") as answers:
                line = answers.readline(_LINE_BYTES_MAX)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotUp(folder.path) from None
        except OSError as error:
            raise EnvironmentLost(log, f"does not answer ({error})") from error
    return _read_answer(line, verb, log)


def _read_answer(line: bytes, verb: Verb[Request, Reply], log: Path) -> Reply:
    if not line:
        raise EnvironmentLost(log, "ended while it was asked")
    answer = msgspec.json.decode(line, type=_Answer)
    if answer.refused:
        raise EnvironmentLost(log, f"refuses {verb.path!r}: {answer.refused}")
    return msgspec.json.decode(answer.reply, type=verb.reply)


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for `path` that fits into the 108 bytes of a UNIX address, whatever its length: by an open folder."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
