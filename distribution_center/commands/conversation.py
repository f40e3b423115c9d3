"""What the commands share: a conversation with one center, whose refusals end the command, and bars."""

import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from media_network import center_names
from media_network.address import Address
from media_network.cli import Command, UserError, state_dir_option
from media_network.refusal import Reason, Refused
from media_network.whereabouts import IDENTITY_VARIABLE, find_center, known_centers

if TYPE_CHECKING:
    from media_network.http.client import HttpClient
    from media_network.messages.verb import Reply, Request, Verb

_Result = TypeVar("_Result")

_SHOW = f"Where machines show certificates, {IDENTITY_VARIABLE} names the folder of yours."
POLL_S = 0.2
"""How often a command that waits asks."""
_SILENT_S = 20.0
"""How long a command that waits bears that nobody answers."""
_BAR_STEPS = 1000


def center_option(command: Command) -> Command:
    """`--center` and `--state-dir`: where the center is."""
    center = click.option(
        "--center",
        metavar="NAME|HOST:PORT",
        help="Which of several centers on this laptop (default: the headquarters), or the address of one elsewhere.",
        shell_complete=center_names.centers,
    )
    return center(state_dir_option(command))


_AGAIN_LATER = "Give the order again when that has changed."
REFUSAL_HINTS: Mapping[Reason, str] = {
    Reason.UNKNOWN_PROGRAM: "`distribution-center programs` lists what there is.",
    Reason.UNKNOWN_STATION: "`distribution-center stations` lists what there is.",
    Reason.UNKNOWN_INGEST: "`distribution-center ingests` lists what there is.",
    Reason.UNKNOWN_CENTER: "`distribution-center mam centers` lists what there is.",
    Reason.UNKNOWN_ORDER: "`distribution-center mam orders` lists what there is.",
    Reason.BAD_SOURCE: "Name a file of the center's machine, a package, or a URL of a provider that its settings name.",
    Reason.BAD_MESSAGE: "`--help` shows what each option takes.",
    Reason.BUSY: _AGAIN_LATER,
    Reason.NO_SPACE: _AGAIN_LATER,
    Reason.IO_ERROR: _AGAIN_LATER,
    Reason.NOT_KEPT: _AGAIN_LATER,
}
"""What a person is told who is refused."""
_HINT = "The log of whoever refuses says more: on this laptop `chassis-emulator logs`."
_IS_IT_UP = "Is the center up? `chassis-emulator ps` shows a network on this laptop."


class Talk:
    """A conversation with one party, whose refusals end the command."""

    def __init__(self, http: "HttpClient", center: Address, hints: Mapping[Reason, str] = REFUSAL_HINTS) -> None:
        """`hints` is what a person is told who is refused."""
        self._http = http
        self._center = center
        self._hints = hints

    async def ask(
        self, verb: "Verb[Request, Reply]", request: "Request", *, deadline_s: float = 5.0, party: Address | None = None
    ) -> "Reply":
        """The answer of the center, or of another party. Raises UserError: it was refused; NetworkError."""
        answer = await self._http.ask(party or self._center, verb, request, deadline_s=deadline_s)
        if isinstance(answer, Refused):
            raise UserError(str(answer), self._hints.get(answer.reason, _HINT))
        return answer


async def ask_while_waiting(talk: Talk, verb: "Verb[Request, Reply]", request: "Request") -> "Reply":
    """The answer, for whoever waits for something: a party that is busy, or is started again, is given a while.

    Raises UserError: it was refused; NetworkError: it was silent for longer.
    """
    import asyncio

    from media_network.http.errors import NetworkError

    silent_until_s = time.monotonic() + _SILENT_S
    while True:
        try:
            return await talk.ask(verb, request)
        except NetworkError:
            if time.monotonic() >= silent_until_s:
                raise
            await asyncio.sleep(POLL_S)


Converse = Callable[[Talk], Coroutine[Any, Any, _Result]]
"""What a command says to a party, and makes of its answers."""


def talk_with(center: str | None, state_dir: Path, converse: Converse[_Result]) -> _Result:
    """Have a conversation with the center that the options name. Raises UserError."""
    return talk_at(_center_address(center, state_dir), state_dir, converse, is_it_up=_IS_IT_UP)


def talk_at(
    party: Address,
    state_dir: Path,
    converse: Converse[_Result],
    *,
    is_it_up: str,
    hints: Mapping[Reason, str] = REFUSAL_HINTS,
) -> _Result:
    """Have a conversation with a party, as the operator of the network in that folder; `is_it_up` is what a person is
    told where it does not answer.

    Raises UserError.
    """
    import asyncio

    from media_network.http.errors import NetworkError
    from media_network.http.operators_client import operators_client

    async def conversation() -> _Result:
        async with operators_client(state_dir) as http:
            return await converse(Talk(http, party, hints))

    try:
        return asyncio.run(conversation())
    except NetworkError as error:
        raise UserError(str(error), f"{is_it_up} {_SHOW}") from error


class Show(Protocol):
    """Takes how much is done, from 0 to 1, and what else is to be said."""

    def __call__(self, fraction: float, more: str = "") -> None:
        """Draw it."""


@contextmanager
def bar(label: str, *, reckons: bool = True) -> Iterator[Show]:
    """A progress bar on the error output, where somebody watches it. `reckons`: it says itself what time is left."""
    with click.progressbar(length=_BAR_STEPS, label=label, file=sys.stderr, show_eta=reckons) as drawn:

        def show(fraction: float, more: str = "") -> None:
            drawn.label = f"{label}{more}"
            drawn.update(round(fraction * _BAR_STEPS) - drawn.pos)

        yield show


def _named(center: str, state_dir: Path) -> Address:
    """A name, or an address: names have no colon."""
    if ":" not in center:
        if found := find_center(state_dir, center):
            return found
        known = ", ".join(known_centers(state_dir))
        hint = f"Centers: {known}; or name one elsewhere as HOST:PORT." if known else "Name the center as HOST:PORT."
        raise UserError(f"there is no center {center!r} in {state_dir}", hint)
    try:
        return Address.parse(center)
    except ValueError as error:
        raise UserError(str(error), "Name the center as HOST:PORT.") from error


def _center_address(center: str | None, state_dir: Path) -> Address:
    if center:
        return _named(center, state_dir)
    address = find_center(state_dir)
    if address is None:
        raise UserError(
            f"no distribution center has run in {state_dir}",
            "Bring a network up with `chassis-emulator up`, or name a center with --center.",
        )
    return address
