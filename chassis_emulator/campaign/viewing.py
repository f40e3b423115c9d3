"""Consoles that play while everything breaks, and once more in the calm."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from hashlib import sha256
from itertools import cycle

from msgspec import Struct

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.battlefield import Battlefield
from chassis_emulator.campaign.errors import DoesNotHold
from chassis_emulator.media_console.errors import ConsoleError
from chassis_emulator.media_console.hls import play_hls
from chassis_emulator.media_console.lookup import look_up
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception
from media_network.fields import ProgramId
from media_network.http.client import HttpClient

WAYS: dict[str, Callable[..., Awaitable[ConsoleReception]]] = {"hls": play_hls, "push": play_push}
_PAUSE_S = 0.7
"""Between two programs; engines give one by HLS in a tenth of a second."""
_LONGEST_PLAY_S = 120.0
"""Whatever befalls it, a console has come to its end by then."""


class PlayCount(Struct, frozen=True, kw_only=True):
    """How consoles fared in a round."""

    whole: int
    """Programs that were received whole, and exact, while things broke."""
    broken: int
    """Those that lost something, or broke off."""
    calm: int
    """Those of the calm: all of them exact."""


class Viewers:
    """A few consoles of this process, which receive by real sockets from real engines."""

    def __init__(self, field: Battlefield, account: Account) -> None:
        self._field = field
        self._account = account
        self._whole = self._broken = self._calm = 0

    def count(self) -> PlayCount:
        """How they fared since this was asked last."""
        count = PlayCount(whole=self._whole, broken=self._broken, calm=self._calm)
        self._whole = self._broken = self._calm = 0
        return count

    async def watch(self, way: str, station: str, programs: tuple[ProgramId, ...], rng: random.Random) -> None:
        """Play one program after the other until cancelled; what comes whole must be exact. Raises DoesNotHold."""
        for program in cycle(rng.sample(programs, len(programs))):
            try:
                received, exact = await self._play(way, station, program)
            except ConsoleError as error:
                self._broken += 1
                self._account.tell(f"a console that played {program} by {way} broke off: {error}")
            else:
                self._note(program, way, received, exact=exact)
            await asyncio.sleep(_PAUSE_S)

    def _note(self, program: ProgramId, way: str, received: str | None, *, exact: bool) -> None:
        if received is None:
            self._broken += 1
            self._account.tell(f"a console received {program} by {way} with gaps")
        elif not exact:
            raise DoesNotHold(f"{program} came by {way} as long as it is, and with other bytes: SHA-256 {received}")
        else:
            self._whole += 1
            self._account.tell(f"a console received {program} by {way}, exactly")

    async def play_exactly(self, way: str, station: str, program: ProgramId) -> None:
        """Play in the calm, where every byte must come. Raises DoesNotHold."""
        try:
            received, exact = await self._play(way, station, program)
        except ConsoleError as error:
            raise DoesNotHold(f"in the calm {program} was not played at {station} by {way}: {error}") from error
        if received is None or not exact:
            raise DoesNotHold(f"in the calm {program} came from {station} by {way} with gaps, or with other bytes")
        self._calm += 1

    async def _play(self, way: str, station: str, program: ProgramId) -> tuple[str | None, bool]:
        """SHA-256 of what came, None if it is shorter than the program; and whether it is the program's.

        Raises ConsoleError, DoesNotHold.
        """
        sink = _Sink()
        try:
            # A console's voice is its own: what befalls its connections befalls nobody else's.
            async with asyncio.timeout(_LONGEST_PLAY_S), HttpClient(self._field.rng) as http:
                place = await look_up(self._field.plan.center.media, program, station, http)
                await WAYS[way](place.director, program, sink, http)
        except TimeoutError:
            raise DoesNotHold(f"a console has played {program} by {way} for {_LONGEST_PLAY_S:g} s") from None
        digest = sink.digest.hexdigest()
        whole = sink.length_bytes >= place.program.header.length_bytes
        return (digest if whole else None), digest == place.program.header.sha256


class _Sink:
    """Where a console writes: nothing of it is kept but what tells it from all else."""

    def __init__(self) -> None:
        self.digest = sha256()
        self.length_bytes = 0

    def write(self, data: bytes) -> None:
        """Take what came."""
        self.digest.update(data)
        self.length_bytes += len(data)
