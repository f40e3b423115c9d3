"""A console's login: kept in a file that its owner alone can read, and turned into tokens (claim 25)."""

import asyncio
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from chassis_emulator.media_console.errors import LoginRefused, NotAnswered, OutputFailed
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.authentication import LOG_IN, RENEW, LoggedIn, LogIn, Renew
from media_network.os_trouble import in_words
from media_network.refusal import Refused
from media_network.secret_file import write_secret
from media_network.time_of_day import now_ms

LOGIN_FILE = "console.json"
_ASK_S = 5.0
_LOG_IN_S = 10.0
_STILL_GOOD_MS = 30_000
"""A token that expires sooner is not begun with, if there may be another."""


class KeptLogin(Struct, frozen=True, kw_only=True):
    """The file."""

    server: str
    """The authentication server, `host:port`."""
    name: str
    renewal: str
    renewal_expires_at_ms: int
    token: str | None
    token_expires_at_ms: int | None


def login_file(state: Path) -> Path:
    """Where the login for the network with that state folder is."""
    return state / LOGIN_FILE


def read_login(state: Path) -> KeptLogin | None:
    """The login for that network; None if there is none that can be read."""
    try:
        return msgspec.json.decode(login_file(state).read_bytes(), type=KeptLogin)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def log_in(server: Address, name: str, password: str, state: Path, http: HttpClient) -> KeptLogin:
    """Log in, and keep that. Raises LoginRefused, NotAnswered, OutputFailed."""
    try:
        answer = await http.ask(server, LOG_IN, LogIn(name=name, password=password), deadline_s=_LOG_IN_S)
    except NetworkError as error:
        raise NotAnswered("authentication server", server, getattr(error, "cause", str(error))) from error
    if isinstance(answer, Refused):
        raise LoginRefused(server, answer)
    return await _keep(state, _kept(str(server), name, answer))


async def token_for(program: str, state: Path, http: HttpClient) -> str | None:
    """A token for a program, a fresh one if the authentication server answers; None: nobody has logged in.

    Raises LoginRefused: the subscriber may not see it.
    """
    login = read_login(state)
    if login is None:
        return None
    if login.token and (login.token_expires_at_ms or 0) > now_ms() + _STILL_GOOD_MS:
        return login.token
    try:
        server = Address.parse(login.server)
        renewing = Renew(renewal=login.renewal, program=None)
        answer = await http.ask(server, RENEW, renewing, deadline_s=_ASK_S, while_refused=False)
        if isinstance(answer, LoggedIn) and answer.token is None:
            # More than fits into a token, or nothing: the server knows.
            named = Renew(renewal=login.renewal, program=program)
            answer = await http.ask(server, RENEW, named, deadline_s=_ASK_S, while_refused=False)
            return _token_of(server, answer)
    except (NetworkError, ValueError):
        return login.token
    token = _token_of(server, answer)
    if isinstance(answer, LoggedIn):
        await _keep(state, _kept(login.server, login.name, answer))
    return token


def _token_of(server: Address, answer: LoggedIn | Refused) -> str | None:
    if isinstance(answer, Refused):
        raise LoginRefused(server, answer)
    return answer.token


def _kept(server: str, name: str, answer: LoggedIn) -> KeptLogin:
    return KeptLogin(
        server=server,
        name=name,
        renewal=answer.renewal,
        renewal_expires_at_ms=answer.renewal_expires_at_ms,
        token=answer.token,
        token_expires_at_ms=answer.token_expires_at_ms,
    )


async def _keep(state: Path, login: KeptLogin) -> KeptLogin:
    def keep() -> None:
        os.makedirs(state, mode=0o700, exist_ok=True)
        write_secret(login_file(state), msgspec.json.format(msgspec.json.encode(login)).decode() + "\n")

    try:
        await asyncio.to_thread(keep)
    except OSError as error:
        raise OutputFailed(str(login_file(state)), in_words(error)) from error
    return login
