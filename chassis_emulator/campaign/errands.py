"""What an operator orders while everything breaks: each order comes to an end, and what was promised stays so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.battlefield import Battlefield
from chassis_emulator.campaign.books import RegistryBook
from chassis_emulator.campaign.errors import DoesNotHold
from chassis_emulator.campaign.film import render_film
from media_network.fields import ProgramId
from media_network.http.errors import NetworkError
from media_network.messages.content import (
    ASK_INGEST,
    DISTRIBUTE,
    INGEST,
    PUBLISH,
    AskIngest,
    Distribute,
    Ingest,
    IngestProgress,
    IngestStage,
    Publish,
)
from media_network.messages.deletion import DELETE_PROGRAM, DeleteProgram
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused
from media_network.time_of_day import now_ms

_SEGMENT_MS = 500
_POLL_S = 0.2
_ANSWER_S = 5.0
_ORDER_ENDS_WITHIN_S = 180.0
_FINAL = (IngestStage.DONE, IngestStage.FAILED)


class Operator:
    """Gives orders as a person does, and remembers what the center has promised."""

    def __init__(self, field: Battlefield, account: Account, films: Path, stations: tuple[str, ...]) -> None:
        self._field = field
        self._account = account
        self._films = films
        self._stations = stations
        self._made = 0
        self._ingested: set[ProgramId] = set()
        self._distributed: set[tuple[ProgramId, str]] = set()
        self._published: set[ProgramId] = set()
        self.orders = 0
        """Given so far."""

    @property
    def in_service(self) -> tuple[ProgramId, ...]:
        """Programs that are to be played, at every station, whether it was to hold them or not."""
        return tuple(sorted(self._published))

    async def bring(self, number: int) -> bool:
        """Have a film ingested, distributed and published; tell whether all three were promised."""
        path = self._films / f"film-{number}.mp4"
        await asyncio.to_thread(render_film, path, number)
        program = await self._ingest(path)
        return program is not None and await self._put_in_service(program)

    async def order_again(self, program: ProgramId) -> None:
        """Order the distribution of what is distributed, and the publication of what is published."""
        await self._put_in_service(program)

    async def let_go(self, program: ProgramId, station: str) -> None:
        """Order a deletion. From then on nobody is promised that the station holds the program."""
        self._distributed.discard((program, station))
        await self._order(
            DELETE_PROGRAM, DeleteProgram(program=program, station=station), f"delete {program} at {station}"
        )

    def broken_promises(self, book: RegistryBook) -> Iterator[str]:
        """What the registry does not know of what it promised, a clause each."""
        for program in sorted(self._ingested - book.programs.keys()):
            yield f"{program} was ingested, and the registry does not know it"
        for program in sorted(self._published & book.programs.keys()):
            if not book.programs[program].is_in_service(now_ms()):
                yield f"{program} was published, and is not in service"
        for program, station in sorted(self._distributed):
            header = book.programs.get(program)
            held = book.locations.get(station, {}).get(header.cut, frozenset()) if header else frozenset()
            if header and len(held) < header.segments:
                yield f"{program} was to be at {station}, where {len(held)} of its segments are"
        yield from (f"{program} is still to be brought to {station}" for program, station in book.unfinished)
        yield from (f"{program} is still to be deleted at {station}" for program, station in book.deletions)

    async def _put_in_service(self, program: ProgramId) -> bool:
        order = Distribute(program=program, stations=self._stations)
        distributed = await self._order(DISTRIBUTE, order, f"distribute {program}")
        if distributed is not None:
            self._distributed |= {(program, station) for station in self._stations}
        published = await self._order(PUBLISH, Publish(program), f"publish {program}")
        if published is not None:
            self._published.add(program)
        return distributed is not None and published is not None

    async def _ingest(self, path: Path) -> ProgramId | None:
        progress = await self._order(INGEST, Ingest(source=str(path), segment_ms=_SEGMENT_MS), f"ingest {path.name}")
        if progress is None:
            return None
        ended = await self._end_of(progress)
        if ended is None:
            self._account.tell(f"the ingest of {path.name} is over: the center that had it is no more")
        elif ended.stage is IngestStage.FAILED or ended.program is None:
            self._account.tell(f"the ingest of {path.name} is over: {ended.error}")
        else:
            self._account.tell(f"{path.name} was ingested: {ended.program}")
            self._ingested.add(ended.program)
            return ended.program
        return None

    async def _end_of(self, progress: IngestProgress) -> IngestProgress | None:
        """How an ingest ended; None if the center that had it has ended before. Raises DoesNotHold: it has none."""
        try:
            async with asyncio.timeout(_ORDER_ENDS_WITHIN_S):
                while progress.stage not in _FINAL:
                    await asyncio.sleep(_POLL_S)
                    try:
                        answer = await self._field.http.ask(
                            self._field.plan.center.address, ASK_INGEST, AskIngest(progress.ingest)
                        )
                    except NetworkError:
                        continue
                    if isinstance(answer, Refused):
                        return None
                    progress = answer
        except TimeoutError:
            raise DoesNotHold(f"an ingest is {progress.stage} after {_ORDER_ENDS_WITHIN_S:g} s") from None
        return progress

    async def _order(self, verb: Verb[Request, Reply], order: Request, what: str) -> Reply | None:
        """Give the center an order; None if it was refused, or not heard: then nothing is promised."""
        self.orders += 1
        try:
            answer = await self._field.http.ask(self._field.plan.center.address, verb, order, deadline_s=_ANSWER_S)
        except NetworkError as error:
            self._account.tell(f"{what}: {error}")
            return None
        if isinstance(answer, Refused):
            self._account.tell(f"{what}: {answer}")
            return None
        self._account.tell(f"{what}: taken")
        return answer
