"""A center whose catalogue, and whose stations' shares, a test writes."""

import asyncio
from contextlib import asynccontextmanager

from msgspec.structs import replace

from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.messages.program_information import ASK_CHANGES, Changes, ProgramChange
from media_network.messages.shares import ASK_SHARES, Share, Shares
from media_network.refusal import Reason, Refused
from tests.distribution_center.world import film

HEADER = film().header


class ScriptedCenter:
    """Its feeds: of each program, and of each program and station, the newest change."""

    def __init__(self):
        self.changes, self.shares = [], []
        self.begun_at_ms = 1
        self.page = 3
        self.asked, self.asked_shares = [], []
        self.answers = None
        """So many pages of its catalogue it still tells, and then none; None: any number."""

    def has(self, *names, version, **facts):
        known = [change for change in self.changes if change.program not in names]
        for number, name in enumerate(names):
            header = replace(HEADER, program=name, version=version + number, **facts)
            known.append(ProgramChange(version=version + number, program=name, header=header))
        self.changes = known

    def lost(self, name, version):
        self.changes = [change for change in self.changes if change.program != name]
        self.changes.append(ProgramChange(version=version, program=name))

    def holds(self, name, *, version, of=HEADER.segments, **stations):
        """So many segments by station."""
        self.shares = [
            share for share in self.shares if (share.program, share.station) not in {(name, s) for s in stations}
        ]
        self.shares += [
            Share(version=version + number, program=name, station=station, segments=count, of=of)
            for number, (station, count) in enumerate(stations.items())
        ]

    def begin_anew(self):
        """As a registry does that was lost."""
        self.begun_at_ms += 1
        self.changes, self.shares = [], []

    def _page(self, known, since):
        later = sorted((one for one in known if one.version > since), key=lambda one: one.version)
        page = tuple(later[: self.page])
        more = len(later) > len(page)
        return page, page[-1].version if more else max([one.version for one in known], default=0), more

    async def _changes(self, question):
        self.asked.append(question.since)
        if self.answers == 0:
            return Refused(Reason.BUSY, "its disk is full")
        self.answers = self.answers and self.answers - 1
        page, until, more = self._page(self.changes, question.since)
        return Changes(changes=page, until=until, more=more)

    async def _shares(self, question):
        self.asked_shares.append(question.since)
        page, until, more = self._page(self.shares, question.since)
        return Shares(shares=page, until=until, more=more, begun_at_ms=self.begun_at_ms)

    @asynccontextmanager
    async def at(self, address):
        table = HandlerTable("scripted center")
        table.verb(ASK_CHANGES, self._changes)
        table.verb(ASK_SHARES, self._shares)
        async with serve(table, address):
            yield self


@asynccontextmanager
async def scripted(world, name="east", center=None):
    async with (center or ScriptedCenter()).at(Address("127.0.0.1", world.centers[name].address.port)) as center:
        yield center


async def comes(look, wanted):
    """It is so after a while, and stays."""
    for _ in range(100):
        if await look() == wanted:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(20.0)
    assert await look() == wanted
