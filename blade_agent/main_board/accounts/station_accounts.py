"""All that a blade has to do with subscriber management and billing, whatever its role."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from blade_agent.main_board.accounts.subscriber_cache import SubscriberCache
from blade_agent.main_board.accounts.usage_meter import UsageMeter
from blade_agent.main_board.accounts.usage_outbox import UsageOutbox
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.files import Files
from media_network.http.client import HttpClient
from media_network.identity.identification import Identification
from media_network.messages.billing import AdmissionGround, ViewingRecord
from media_network.messages.subscribers import SubscriberId
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

_NO_ID = Refused(Reason.NOT_ENTITLED, "the token names no subscriber that subscriber management could know")


class StationAccounts:
    """The cache, the outbox and what fills it, with a voice of their own."""

    def __init__(
        self,
        settings: AccountsLinkSettings,
        state: Path,
        files: Files,
        rng: random.Random,
        own: Address,
        *,
        identification: Identification | None = None,
    ) -> None:
        """`own` is where the blade is reached: its voice asks from there, and its records name it."""
        self.cache = SubscriberCache(settings, state, files, now_ms)
        self.outbox = UsageOutbox(settings.ledger, state, files)
        self.meter = UsageMeter(self.outbox, str(own), rng, now_ms)
        """Of what the blade sends as an engine."""
        self._rng = rng
        self._own = own
        self._identification = identification

    async def admit(self, subscriber: str, program: ProgramId) -> AdmissionGround | Refused:
        """Whether whom a token names may see a program (claim 6), and on what ground."""
        try:
            known = msgspec.convert(subscriber, SubscriberId)
        except msgspec.ValidationError:
            return _NO_ID
        return await self.cache.admit(known, program)

    def note_viewing(self, viewing: ViewingRecord) -> None:
        """A viewer was let in; the record waits until billing has it."""
        self.outbox.add_viewing(viewing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask, hear, keep and deliver while the context is open; what is left is on the disk then."""
        async with HttpClient(self._rng, self._own.host, self._identification) as http:
            try:
                async with asyncio.TaskGroup() as tasks:
                    work = [
                        tasks.create_task(self.cache.run(http), name="cache of subscribers"),
                        tasks.create_task(self.outbox.run(http), name="outbox of usage records"),
                    ]
                    try:
                        yield
                    finally:
                        for each in work:
                            each.cancel()
            finally:
                await self.outbox.flush()

    async def run(self) -> None:
        """The same until cancelled."""
        async with self.running():
            await asyncio.get_running_loop().create_future()
