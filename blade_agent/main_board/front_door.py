"""What the main board answers: its servers outlive the roles, and whoever is on duty answers.

So a change of roles breaks no connection, and a blade that directs can go on serving what it holds as an engine. What a
role has not answered at its end it does not answer: all that it would do it with is closed then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from blade_agent.main_board.director.doors.directed import DIRECTED, PROGRAMS
from blade_agent.main_board.parts import Parts, with_parts
from media_network.address import Address
from media_network.http.asker import Asker
from media_network.http.at_once import FileAnswer
from media_network.http.refusing import refusing
from media_network.http.request_head import RequestHead
from media_network.http.server import HandlerTable, Resource
from media_network.messages import (
    deletion,
    enlisting,
    holdings,
    obtaining,
    program_information,
    sources,
    steering,
    streaming,
    watching,
)
from media_network.messages.verb import Verb
from media_network.refusal import Reason, Refused
from media_network.segment_url import HELD_INDEX_PATH, HELD_SEGMENT_PATH

_VERBS: tuple[Verb[Any, Any], ...] = tuple(
    verb
    for conversation in (
        *(deletion, enlisting, holdings, obtaining, program_information),
        *(sources, steering, streaming, watching),
    )
    for verb in vars(conversation).values()
    if isinstance(verb, Verb) and verb.path.startswith(("director/", "engine/"))
)
_RESOURCES = {
    **DIRECTED,
    HELD_SEGMENT_PATH: "A held segment.",
    HELD_INDEX_PATH: "The index of a held segment.",
}
_COPIED = frozenset({HELD_SEGMENT_PATH, HELD_INDEX_PATH})

_Answer = Callable[[Any, Asker], Coroutine[Any, Any, msgspec.Struct]]


@dataclass(eq=False)
class _Duty:
    """A role on duty."""

    table: HandlerTable
    answering: set[asyncio.Task[Any]] = field(default_factory=set)
    over: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is over and answers nothing any more."""

    async def answer(self, answer: _Answer, message: msgspec.Struct, asker: Asker) -> msgspec.Struct:
        """What the role answers; a refusal if its end comes first."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("answers are given by tasks")
        self.answering.add(task)
        try:
            return await answer(message, asker)
        except asyncio.CancelledError:
            if not self.over or task.uncancel():
                raise
            return Refused(Reason.WRONG_ROLE, f"{self.table.title} is over")
        finally:
            self.answering.discard(task)
            if self.over and not self.answering:
                self.idle.set()

    async def end(self) -> None:
        """Answer nothing any more."""
        await asyncio.sleep(0)  # who has just been let go says so
        self.over = True
        for task in self.answering:
            task.cancel()
        if self.answering:
            await self.idle.wait()


class FrontDoor:
    """Who is on duty, and what they answer."""

    def __init__(self, director: Callable[[], Address | None], parts: Parts) -> None:
        """`director` gives its media address: players are sent there that ask here what only a director answers."""
        self._director = director
        self._parts = parts
        self._on_duty: list[_Duty] = []

    def table(self) -> HandlerTable:
        """All that any role answers."""
        table = HandlerTable("main board", described_by=self._duties)
        for verb in _VERBS:
            table.verb_by_asker(verb, partial(self._answer, verb))
        for path, summary in _RESOURCES.items():
            from_anywhere = path not in DIRECTED or path.startswith(PROGRAMS)
            answer = partial(self._get, path)
            table.resource(path, answer, summary, from_anywhere=from_anywhere, copied=path in _COPIED)
        table.at_once = self._at_once
        return with_parts(table, self._parts)

    def _at_once(self, head: RequestHead) -> bytes | FileAnswer | None:
        """What somebody on duty answers without waiting for anybody."""
        for duty in self._on_duty:
            if duty.table.at_once and (octets := duty.table.at_once(head)):
                return octets
        return None

    @asynccontextmanager
    async def on_duty(self, table: HandlerTable) -> AsyncIterator[None]:
        """A role answers as long as the context lasts.

        Raises ValueError when another that is on duty answers any of the same.
        """
        for other in self._on_duty:
            if twice := table.names & other.table.names:
                raise ValueError(f"{table.title} and {other.table.title} both answer {', '.join(sorted(twice))}")
        duty = _Duty(table)
        self._on_duty.insert(0, duty)
        try:
            yield
        finally:
            self._on_duty.remove(duty)
            await duty.end()

    def _duties(self) -> HandlerTable:
        """What is answered now, under the name of who came on duty last."""
        shown = HandlerTable(self._on_duty[0].table.title if self._on_duty else "main board")
        for duty in self._on_duty:
            shown.posts.extend(duty.table.posts)
            shown.resources.extend(duty.table.resources)
        return with_parts(shown, self._parts)

    async def _answer(self, verb: Verb[Any, Any], message: msgspec.Struct, asker: Asker) -> msgspec.Struct:
        for duty in self._on_duty:
            for post in duty.table.posts:
                if post.verb is verb:
                    return await duty.answer(post.answer, message, asker)
        return Refused(Reason.WRONG_ROLE, f"nobody on this blade answers {verb.path} now")

    async def _get(self, path: str, request: web.Request) -> web.StreamResponse:
        resources = (resource for duty in self._on_duty for resource in duty.table.resources)
        answer: Resource | None = _first(resource.answer for resource in resources if resource.path == path)
        if answer is not None:
            return await answer(request)
        if path in DIRECTED and (director := self._director()):
            return web.Response(status=307, headers={"Location": f"http://{director}{request.path_qs}"})
        return refusing(Refused(Reason.WRONG_ROLE, "this blade has no role to answer that"))


def _first(found: Iterable[Any]) -> Any:
    return next(iter(found), None)
