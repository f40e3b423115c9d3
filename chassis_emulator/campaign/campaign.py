"""A campaign: a network comes up, and is beaten round after round; each round has its storm and its calm (claim 10)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.battlefield import Battlefield
from chassis_emulator.campaign.calm import Calm
from chassis_emulator.campaign.errands import Operator
from chassis_emulator.campaign.errors import CampaignFailed, DoesNotHold
from chassis_emulator.campaign.strikes import STORM_S, Blow, draw_strikes, round_rng
from chassis_emulator.campaign.striking import Assailant
from chassis_emulator.campaign.viewing import WAYS, PlayCount, Viewers
from chassis_emulator.network.launch import bring_up, take_down, wait_until_serving
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from media_network.http.operators_client import operators_client

_HOME = "home"
_ORDERED = "north"
_UP_WITHIN_S = 120.0
_PLAYED_IN_CALM = 3
"""Programs that are played after a round: all of the first ones, later so many of them, drawn."""
_FIRST_FILM = 0


class RoundOutcome(Struct, frozen=True, kw_only=True):
    """A round after which everything held."""

    round: int
    blows: dict[str, int]
    """How many, by kind."""
    orders: int
    plays: PlayCount
    calm_after_s: float
    """From the last blow's mending until all was well."""
    locations: int
    """Segments at stations, as registry, inventories and disks have them alike."""


def topology_of(network: int) -> Topology:
    """What is beaten: a home media station, one that is ordered to hold programs, one that gets what is asked for."""
    return Topology(
        network=network,
        name=f"campaign-{network}",
        center=Center(name="main", home=_HOME),
        stations=(
            StationTopology(name=_HOME, slots=2),
            StationTopology(name=_ORDERED, slots=4, channels=2),
            StationTopology(name="south", slots=2),
        ),
    )


class Campaign:
    """Rounds on one network."""

    def __init__(self, field: Battlefield, seed: int, account: Account, patience_s: float) -> None:
        self._field = field
        self._seed = seed
        self._account = account
        self._served = tuple(
            chassis.station for chassis in field.plan.chassis if chassis.station != field.plan.center.home
        )
        films = field.folder.path / "films"
        films.mkdir(exist_ok=True)
        self._operator = Operator(field, account, films, (_ORDERED,))
        self._viewers = Viewers(field, account)
        self._assailant = Assailant(field, account)
        self._calm = Calm(field, self._operator, patience_s)

    async def prepare(self) -> None:
        """Bring the first program into service, while nothing breaks. Raises CampaignFailed."""
        if not await self._operator.bring(_FIRST_FILM):
            raise DoesNotHold("the first program could not be brought into service, before anything was broken")
        await self.come_to_rest()

    async def come_to_rest(self) -> float:
        """Mend everything and wait until all is well; gives the seconds that it took. Raises CampaignFailed."""
        return await self._calm.come()

    async def fight(self, number: int) -> RoundOutcome:
        """One round: the storm, the calm, and what must hold then. Raises CampaignFailed."""
        strikes = draw_strikes(self._seed, number, self._field.plan.topology)
        orders_before = self._operator.orders
        self._account.begin(number)
        try:
            async with asyncio.TaskGroup() as tasks:
                viewers = [tasks.create_task(self._watch(way, number), name=f"viewer by {way}") for way in WAYS]
                errand = tasks.create_task(self._run_errand(number), name="operator")
                blows = [tasks.create_task(self._assailant.strike(strike), name=strike.blow) for strike in strikes]
                await asyncio.wait(blows)
                for viewer in viewers:
                    viewer.cancel()
                self._account.tell("the last blow is mended, and the calm comes")
                calm_after_s = await self._rest(errand)
        except ExceptionGroup as group:
            raise _only_sentence(group) from group
        await self._play_in_calm(number)
        book = await self._field.registry()
        return RoundOutcome(
            round=number,
            blows={blow.value: sum(strike.blow is blow for strike in strikes) for blow in Blow},
            orders=self._operator.orders - orders_before,
            plays=self._viewers.count(),
            calm_after_s=round(calm_after_s, 1),
            locations=sum(len(held) for books in book.locations.values() for held in books.values()),
        )

    async def _rest(self, errand: "asyncio.Task[None]") -> float:
        """Wait until the last order has ended and all is well; gives the seconds that the latter took."""
        await self._field.mend()
        await errand
        after_s = await self.come_to_rest()
        self._account.tell(f"all is well {after_s:.1f} s later: registry, inventories and disks agree")
        return after_s

    async def _watch(self, way: str, number: int) -> None:
        rng = round_rng(self._seed, number, f"viewer by {way}")
        await self._viewers.watch(way, rng.choice(self._served), self._operator.in_service, rng)

    async def _run_errand(self, number: int) -> None:
        """Every other round or so a film more; else what is in service is deleted at a station, or ordered again."""
        rng = round_rng(self._seed, number, "operator")
        await asyncio.sleep(rng.uniform(0.0, STORM_S / 2))
        errand = rng.random()
        if errand < 0.5:
            await self._operator.bring(number)
        elif errand < 0.75:
            await self._operator.let_go(rng.choice(self._operator.in_service), rng.choice(self._served))
        else:
            await self._operator.order_again(rng.choice(self._operator.in_service))

    async def _play_in_calm(self, number: int) -> None:
        """Every program by every way, at the same time. Raises DoesNotHold."""
        programs = self._operator.in_service
        if len(programs) > _PLAYED_IN_CALM:
            programs = tuple(round_rng(self._seed, number, "calm").sample(programs, _PLAYED_IN_CALM))
        plays = [(way, station, program) for way in WAYS for station in self._served for program in programs]
        try:
            async with asyncio.TaskGroup() as tasks:
                for play in plays:
                    tasks.create_task(self._viewers.play_exactly(*play))
        except ExceptionGroup as group:
            raise _only_sentence(group) from group
        self._account.tell(f"{len(plays)} plays in the calm, all exact")


@asynccontextmanager
async def campaigning(
    folder: StateFolder, topology: Topology, seed: int, account: Account, *, patience_s: float
) -> AsyncIterator[Campaign]:
    """A campaign on a network that is up for as long as the context lasts. Raises EmulatorError."""
    rng = random.Random(seed)
    try:
        await asyncio.to_thread(bring_up, folder, topology)
        await asyncio.to_thread(wait_until_serving, folder, _UP_WITHIN_S)
        async with operators_client(folder.path) as http:
            field = Battlefield(plan_network(topology, folder.path), folder, http, rng)
            yield Campaign(field, seed, account, patience_s)
    finally:
        await asyncio.shield(asyncio.to_thread(take_down, folder))


def _only_sentence(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a person is told of several failures: the first that is ours."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _only_sentence(error)
        if isinstance(error, CampaignFailed):
            return error
    return group.exceptions[0]
