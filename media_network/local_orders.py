"""Orders between processes of one machine: a JSON line out, a JSON line back, over a UNIX socket.

The socket is its owner's alone (mode 0600), so whoever reaches it may give orders.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from media_network.legal_values import did_you_mean, shown
from media_network.messages.verb import Reply, Request, Verb
from media_network.os_trouble import in_words
from media_network.refusal import Reason, Refused
from media_network.unread_message import why_unread

logger = logging.getLogger(__name__)

_ENVELOPE_BYTES_MAX = 1024
"""What a line has around the message."""


class NobodyListens(Exception):
    """Nobody takes orders at that path."""


class OrderLost(Exception):
    """The order went out, or should have, and no answer came; whether it was carried out is unknown."""


class _Order(Struct, frozen=True):
    verb: str
    request: msgspec.Raw


class _Answer(Struct, frozen=True):
    refused: Refused | None = None
    reply: msgspec.Raw = msgspec.Raw(b"null")


Answer = Callable[[Any], Coroutine[Any, Any, Struct]]
"""Carries an order out; what it returns is the verb's reply, or a `Refused`."""

_order = msgspec.json.Decoder(_Order)
_answer = msgspec.json.Decoder(_Answer)


@asynccontextmanager
async def take_orders(path: Path, answers: Mapping[Verb[Any, Any], Answer]) -> AsyncIterator[None]:
    """Answer orders at `path` while the context is open."""
    by_path = {verb.path: (verb, answer) for verb, answer in answers.items()}
    line_bytes_max = _ENVELOPE_BYTES_MAX + max((verb.request_bytes_max for verb in answers), default=0)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await _obey(line, by_path)) + b"\n")
                await writer.drain()
        except ValueError:
            # A line beyond all bounds: where it ends is not looked for.
            too_large = Refused(Reason.TOO_LARGE, f"an order has at most {line_bytes_max} bytes")
            writer.write(msgspec.json.encode(_Answer(too_large)) + b"\n")
        except ConnectionError:
            pass  # a command that was interrupted is owed nothing
        finally:
            writer.close()

    listener = _listen(path)
    async with await asyncio.start_unix_server(converse, sock=listener, limit=line_bytes_max):
        yield


def order(path: Path, verb: Verb[Request, Reply], request: Request, *, timeout_s: float = 10.0) -> Reply | Refused:
    """Give an order where there is no event loop. Raises NobodyListens, OrderLost."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with _short(path) as short:
                connection.connect(short)
            connection.sendall(_encode(verb, request))
            with connection.makefile("rb") as answers:
                return _decode(answers.readline(_answer_bytes_max(verb)), verb)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NobodyListens from None
        except OSError as error:
            raise OrderLost(f"does not answer ({in_words(error)})") from error


async def send_order(
    path: Path, verb: Verb[Request, Reply], request: Request, *, timeout_s: float = 10.0
) -> Reply | Refused:
    """Give an order from the running event loop. Raises NobodyListens, OrderLost."""
    try:
        async with asyncio.timeout(timeout_s):
            with _short(path) as short:
                reader, writer = await asyncio.open_unix_connection(short, limit=_answer_bytes_max(verb))
            try:
                writer.write(_encode(verb, request))
                return _decode(await reader.readline(), verb)
            finally:
                writer.close()
    except (FileNotFoundError, ConnectionRefusedError):
        raise NobodyListens from None
    except OSError as error:
        raise OrderLost(f"does not answer ({in_words(error)})") from error
    except ValueError as error:
        raise OrderLost("gave an answer that is too long") from error


def _answer_bytes_max(verb: Verb[Any, Any]) -> int:
    return _ENVELOPE_BYTES_MAX + verb.reply_bytes_max


def _encode(verb: Verb[Request, Reply], request: Request) -> bytes:
    return msgspec.json.encode(_Order(verb.path, msgspec.Raw(msgspec.json.encode(request)))) + b"\n"


def _decode(line: bytes, verb: Verb[Request, Reply]) -> Reply | Refused:
    if not line:
        raise OrderLost("ended while it was asked")
    try:
        answer = _answer.decode(line)
        return answer.refused or msgspec.json.decode(answer.reply, type=verb.reply)
    except msgspec.MsgspecError as error:
        raise OrderLost("gave an answer of another release") from error


async def _obey(line: bytes, answers: Mapping[str, tuple[Verb[Any, Any], Answer]]) -> _Answer:
    try:
        order = _order.decode(line)
    except msgspec.MsgspecError as error:
        return _Answer(Refused(Reason.BAD_MESSAGE, why_unread(line, _Order, error)))
    if order.verb not in answers:
        meant = did_you_mean(order.verb, answers)
        return _Answer(Refused(Reason.BAD_MESSAGE, f"no order is called {shown(order.verb)}{meant}"))
    return await _carry_out(order, *answers[order.verb])


async def _carry_out(order: _Order, verb: Verb[Any, Any], answer: Answer) -> _Answer:
    logger.debug("somebody orders %s, which is for: %s", verb.path, ", ".join(verb.callers))
    if len(order.request) > verb.request_bytes_max:
        return _Answer(Refused(Reason.TOO_LARGE, f"{verb.path} takes at most {verb.request_bytes_max} bytes"))
    try:
        request = msgspec.json.decode(order.request, type=verb.request)
    except msgspec.MsgspecError as error:
        return _Answer(Refused(Reason.BAD_MESSAGE, why_unread(bytes(order.request), verb.request, error)))
    try:
        reply = await answer(request)
    except OSError as error:
        logger.warning("%s cannot be done: %s", verb.path, in_words(error))
        return _Answer(Refused(Reason.IO_ERROR, in_words(error)))
    if isinstance(reply, Refused):
        return _Answer(reply)
    return _Answer(reply=msgspec.Raw(msgspec.json.encode(reply)))


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(path) as short:
        listener.bind(short)
    path.chmod(0o600)
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for `path` that fits into the 108 bytes of a UNIX address, whatever its length: by an open folder."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
