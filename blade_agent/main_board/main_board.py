"""The main board: takes the role the CBC hands on from the chassis manager, and fills it (claims 7 and 9).

A blade's engine goes on when the director changes, and when its own blade becomes the director: it drains then, and
serves for as long as it holds anything that nobody else does.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from blade_agent.backplane.role import MainBoardState, MainBoardStatus, Role, RoleAssignment
from blade_agent.main_board.accounts.station_accounts import StationAccounts
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director import Director, open_director
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty, WaterMarks
from blade_agent.main_board.engine.adopting import adopt_earlier
from blade_agent.main_board.engine.discarding import Discarding
from blade_agent.main_board.engine.engine import Engine, EngineDuty, open_engine
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.front_door import FrontDoor
from blade_agent.main_board.issuer_keys import IssuerKeys
from blade_agent.main_board.main_board_figures import MainBoardFigures, MainBoardWork
from blade_agent.main_board.rtsp.door import RtspDoor, open_rtsp_door
from blade_agent.main_board.service_address import ServiceAddress, serving_at
from media_network.address import Address
from media_network.files import Files
from media_network.http.gate import ConnectionGate, connections_bearable
from media_network.http.server import serve_ports
from media_network.identity.identification import Identification
from media_network.messages.steering import PAUSE_S
from media_network.rtp import RTSP_PORT

logger = logging.getLogger(__name__)

_TRY_AGAIN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """What a main board has, whatever its role."""

    slot: int
    address: Address
    """Where machines speak to it."""
    media: Address
    """Where consoles are served, and segments fetched."""
    capacity_bps: int
    state: Path
    store: SegmentStore
    files: Files
    service: ServiceAddress | None = None
    """Where its station serves consoles while this blade directs it."""
    rtsp_port: int = RTSP_PORT
    """Where players speak RTSP to this blade, if its station has a service address, which RTP comes from."""
    pause_s: float = PAUSE_S
    """How long a stream may be paused that it directs."""
    allow_elsewhere: bool = False
    """Send streams to other hosts than those that ask for them."""
    playlists_name_engines: bool = False
    """A station that it directs has the engine of each segment in its playlists."""
    zone: str = ""
    """Where its station is; empty: nobody has said."""
    water: WaterMarks = field(default_factory=WaterMarks)
    """How full the disks of a station that it directs may become."""
    issuer: IssuerKeys | None = None
    """The keys of the authentication server whose tokens consoles have to show; None: anybody is served."""
    identification: Identification | None = None
    """Who it is, and how it learns who asks; None: nobody shows who he is."""
    accounts: StationAccounts | None = None
    """Subscriber management and billing; None: a token is all that is asked for, and nothing is billed."""


class RunningMainBoard:
    """The `RunningMainBoard` that the CBC sees, and the tasks that fill the role."""

    def __init__(self, board: Equipment, rng: random.Random) -> None:
        self._board = board
        self._rng = rng
        self._wanted = RoleAssignment()
        self._role_said = (Role.UNASSIGNED, "", 0)
        self._changed = asyncio.Event()
        self._failed: set[str] = set()
        self._leaving = False
        self._draining = False
        self._catalogue = Catalogue(board.files, board.state / "catalogue")
        self._discarding = Discarding(board.store)
        self._catalogue.let_go = self._discarding.discard
        self._door = FrontDoor(self._director_media, self._catalogue.parts)
        self._rtsp: RtspDoor | None = None
        self._engine: Engine | None = None
        self._director: Director | None = None
        self._engine_task: asyncio.Task[None] | None = None
        self._director_task: asyncio.Task[None] | None = None
        self._engine_counters = EngineCounters()
        self._director_counters = DirectorCounters()
        self._gate = ConnectionGate(connections_bearable())
        self._share = 1.0
        self._blades: Mapping[int, Address] | None = None

    def assign(self, assignment: RoleAssignment) -> None:
        """Take a role from now on; what goes on in both, goes on."""
        if (assignment.role, assignment.station, assignment.epoch) != self._role_said:
            self._role_said = (assignment.role, assignment.station, assignment.epoch)
            logger.info("role: %s", _in_words(assignment))
        self._wanted = assignment
        self._blades = None
        self._leaving = True
        if assignment.role is Role.UNASSIGNED:
            self._draining = False
        self._changed.set()

    def drain(self, draining: bool) -> int:  # noqa: FBT001 -- the field of the message
        """Hand over what the role carries and take nothing new, or take work again; returns what is still carried."""
        self._draining = draining
        self._drain_engine()
        return self._carried if draining else 0

    def know_blades(self, blades: Mapping[int, Address]) -> None:
        """Know where the blades of the station are, until the role changes."""
        self._blades = blades
        if self._director:
            self._director.blades.by_slot = blades

    def limit(self, share: float) -> None:
        """Send no more than this share of the board's capacity; the director hears of it, and gives no more."""
        if share != self._share:
            self._share = share
            duty = self._engine_duty(self._wanted)
            if self._engine and duty:
                self._engine.follow(duty)

    def status(self) -> MainBoardStatus:
        """The state of now."""
        if self._leaving:
            state = MainBoardState.STOPPING
        elif self._failed:
            state = MainBoardState.FAILED
        else:
            state = MainBoardState.READY
        streams = self._engine.streams if self._engine else 0
        return MainBoardStatus(state=state, address=self._board.address, streams=streams)

    def figures(self) -> MainBoardFigures:
        """What it has done and does, at this moment."""
        return MainBoardFigures(
            streams=self._engine.streams if self._engine else 0,
            draining=self._draining,
            channels=self._board.store.figures(),
            engine=copy(self._engine_counters),
            director=self._director.figures() if self._director else None,
        )

    def work(self) -> MainBoardWork:
        """What it is at, one by one, at this moment."""
        work = MainBoardWork()
        if self._engine:
            work = msgspec.structs.replace(work, engine=self._engine.work())
        if self._director:
            work = msgspec.structs.replace(work, director=self._director.work())
        return work

    @property
    def assignment(self) -> RoleAssignment:
        """The role it fills, or is about to."""
        return self._wanted

    async def run(self) -> None:
        """Fill one role after the other until cancelled."""
        address, media = self._board.address, self._board.media
        await self._catalogue.load()
        await adopt_earlier(self._board.store, self._catalogue)
        await self._discarding.discard_gone(self._catalogue)
        while True:
            self._failed.discard("server")
            try:
                async with (
                    serve_ports(
                        self._door.table(),
                        control=address,
                        media=media,
                        gate=self._gate,
                        identification=self._board.identification,
                    ),
                    self._rtsp_door() as self._rtsp,
                ):
                    await self._fill_roles()
            except OSError:
                logger.exception("%s or %s cannot be served at", address, media)
            self._failed.add("server")
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _fill_roles(self) -> None:
        try:
            while True:
                self._changed.clear()
                await self._take_up(self._wanted)
                self._leaving = self._changed.is_set()
                await self._changed.wait()
        finally:
            await self._end_director()
            await self._end_engine()

    async def _take_up(self, wanted: RoleAssignment) -> None:
        await self._end_director()
        if wanted.role is Role.DIRECTOR:
            self._director_task = self._start("director", lambda: self._direct(wanted))
            await asyncio.sleep(0)  # it is on duty before the engine enlists
        duty = self._engine_duty(wanted)
        if duty is None:
            await self._end_engine()
        elif self._engine:
            self._engine.follow(duty)
            self._drain_engine()
        elif self._engine_task is None or self._engine_task.done():
            self._engine_task = self._start("engine", self._serve_as_engine)

    def _engine_duty(self, wanted: RoleAssignment) -> EngineDuty | None:
        """A director's blade is an engine too if it holds anything, or sends yet: it is asked for what only it has."""
        board = self._board
        director = wanted.director
        if wanted.role is Role.DIRECTOR:
            needed = board.store.holds_any or (self._engine is not None and self._engine.carried > 0)
            director = board.address if needed else None
        if wanted.role is Role.UNASSIGNED or director is None:
            return None
        return EngineDuty(
            slot=board.slot,
            address=board.address,
            media=board.media,
            director=director,
            epoch=wanted.epoch,
            capacity_bps=int(board.capacity_bps * self._share),
            allow_elsewhere=board.allow_elsewhere,
            identification=board.identification,
            rtp=board.service.rtp if board.service else None,
            rtsp=self._rtsp.own if self._rtsp else None,
        )

    @asynccontextmanager
    async def _rtsp_door(self) -> AsyncIterator[RtspDoor | None]:
        """Hear players by RTSP, where RTP can be sent to them. Whatever its role is by then: sessions outlive roles."""
        board = self._board
        if board.service is None:
            yield None
            return
        own, source = board.address._replace(port=board.rtsp_port), board.service.rtp
        elsewhere = board.allow_elsewhere
        async with open_rtsp_door(own, source, self._director_now, self._gate, self._rng, elsewhere=elsewhere) as door:
            yield door

    def _director_now(self) -> Address | None:
        """Media address of the blade that directs, as far as is known here."""
        return self._board.media if self._director else self._director_media()

    @asynccontextmanager
    async def _rtsp_at_service(self) -> AsyncIterator[None]:
        """Players that know the service address alone find the director by RTSP, too."""
        service = self._board.service
        if self._rtsp is None or service is None or not service.listen:
            yield
            return
        async with self._rtsp.listening(service.address._replace(port=self._board.rtsp_port)):
            yield

    def _director_media(self) -> Address | None:
        """Media address of another blade that directs, as far as the engine has heard; never our own."""
        media = self._engine.director_media if self._engine else None
        return None if media == self._board.media else media

    def _drain_engine(self) -> None:
        if self._engine:
            self._engine.drain(draining=self._draining or self._wanted.role is Role.DIRECTOR)

    @property
    def _carried(self) -> int:
        carried = self._engine.carried if self._engine else 0
        carried += self._rtsp.carried if self._rtsp else 0
        return carried + (self._director.carried if self._director else 0)

    async def _serve_as_engine(self) -> None:
        duty = self._engine_duty(self._wanted)
        if duty is None:
            return
        board = self._board
        meter = board.accounts.meter if board.accounts else None
        async with (
            open_engine(duty, board.store, self._catalogue, self._rng, self._engine_counters, meter=meter) as engine,
            self._door.on_duty(engine.table()),
        ):
            self._engine = engine
            self._drain_engine()
            try:
                await engine.run()
            finally:
                self._engine = None

    async def _direct(self, wanted: RoleAssignment) -> None:
        duty = DirectorDuty(
            station=wanted.station,
            address=self._board.address,
            media=self._board.media,
            service=self._board.service.address if self._board.service else None,
            rtcp=self._board.service.rtcp if self._board.service else None,
            zone=self._board.zone,
            epoch=wanted.epoch,
            center=wanted.center,
            state=self._board.state,
            water=self._board.water,
            issuer=self._board.issuer,
            accounts=self._board.accounts,
            pause_s=self._board.pause_s,
            allow_elsewhere=self._board.allow_elsewhere,
            playlists_name_engines=self._board.playlists_name_engines,
            identification=self._board.identification,
        )
        async with (
            open_director(duty, self._catalogue, self._rng, self._director_counters) as director,
            self._door.on_duty(director.handlers()),
            serving_at(self._board.service, self._door.table(), self._gate),
            self._rtsp_at_service(),
        ):
            self._director = director
            director.blades.trusting = False
            director.blades.by_slot = self._blades
            try:
                await director.run()
            finally:
                self._director = None

    def _start(self, part: str, fill: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        return asyncio.create_task(self._keep_filling(part, fill), name=f"fill role {part}")

    async def _keep_filling(self, part: str, fill: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Fill a role; one that breaks down is taken up again, for nobody else will."""
        try:
            while True:
                self._failed.discard(part)
                try:
                    await fill()
                except asyncio.CancelledError:
                    raise
                except Exception:
                    logger.exception("the role of %s broke down", part)
                self._failed.add(part)
                await asyncio.sleep(_TRY_AGAIN_S)
        finally:
            self._failed.discard(part)

    async def _end_director(self) -> None:
        await _end(self._director_task)
        self._director_task = None

    async def _end_engine(self) -> None:
        await _end(self._engine_task)
        self._engine_task = None


def _in_words(assignment: RoleAssignment) -> str:
    if assignment.role is Role.UNASSIGNED:
        return "none"
    at = f" under the director at {assignment.director}" if assignment.role is Role.ENGINE else ""
    return f"{assignment.role} of {assignment.station} at epoch {assignment.epoch}{at}"


async def _end(task: asyncio.Task[None] | None) -> None:
    """Let a role end, and wait until it has."""
    if task:
        task.cancel()
        await asyncio.wait([task])
