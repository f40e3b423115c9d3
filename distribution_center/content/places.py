"""Where a program is and what was ordered of it, for an operator who looks at one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from distribution_center.obstacles import Obstacles
from distribution_center.registry.repository import DistributionOrder, OrderState, Repository
from media_network.fields import ProgramId
from media_network.http.server import HandlerTable
from media_network.messages.places import ASK_PLACES, AskPlaces, Places, StationHolding
from media_network.refusal import Reason, Refused


@dataclass(frozen=True, kw_only=True)
class ProgramPlaces:
    """Answers with them."""

    repository: Repository
    obstacles: Obstacles

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb into a table."""
        table.verb(ASK_PLACES, self._tell)

    async def _tell(self, question: AskPlaces) -> Places | Refused:
        program = await self.repository.program(question.program)
        if program is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {question.program}")
        names: Sequence[str] = question.only
        more = False
        if not names:
            # Of each kind one more than is shown: what comes after the page is not known of either.
            limit = question.limit + 1
            orders = await self.repository.orders(program.program, question.after, limit)
            held = await self.repository.held(program.program, after=question.after, limit=limit)
            names = sorted({*orders, *held})
            names, more = names[: question.limit], len(names) > question.limit
        return Places(segments=program.segments, places=tuple(await self._places(program.program, names)), more=more)

    async def _places(self, program: ProgramId, names: Iterable[str]) -> list[StationHolding]:
        return [
            _place(
                name,
                await self.repository.held_at(program, name),
                order := await self.repository.order(program, name),
                await self.repository.held_at(program, name, order.copies) if order else 0,
                self.obstacles.at(program, name),
            )
            for name in names
        ]


def _place(
    station: str, segments: int, order: DistributionOrder | None, whole_copies: int, obstacle: str | None
) -> StationHolding:
    if order is None:
        return StationHolding(station=station, segments=segments)
    return StationHolding(
        station=station,
        segments=segments,
        copies=order.copies,
        whole_copies=whole_copies,
        rate_bps=order.rate_bps,
        carried_out=order.state is OrderState.DISTRIBUTED,
        obstacle=obstacle,
    )
