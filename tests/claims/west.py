"""A media station that a test plays: it holds what `home` holds, and gives it as slowly, or as wrongly, as told."""

import asyncio
import random
import threading
import time
from contextlib import contextmanager

from aiohttp import web

from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve_ports
from media_network.identity.authority_folder import AuthorityFolder
from media_network.identity.certificates import utc_now
from media_network.identity.credentials import Credentials
from media_network.identity.identity import Identity
from media_network.identity.settings import IdentitySettings
from media_network.messages.holdings import Holding
from media_network.messages.obtaining import LOCATE_SEGMENT, REQUEST_ENGINE_TOKEN, EngineToken, SegmentLocation
from media_network.messages.registry import REGISTER_STATION, REPORT_LOCATIONS, RegisterStation, ReportLocations
from media_network.segment_url import HELD_INDEX_PATH, HELD_SEGMENT_PATH, asked_segment
from tests.patience import PATIENCE_S


class West:
    """Director and engine in one, near and with more bandwidth than anybody else: the source that costs least."""

    def __init__(self, name, network, program, table, segments, indexes):
        self.name, host = name, f"127.{network.number}.9.{1 + sum(name.encode()) % 250}"
        self.own = Credentials(identity_of(network, name, host)) if network.secured else None
        self.control, self.media = Address(host, 8081), Address(host, 8080)
        self.center = Address(f"127.{network.number}.0.1", 8081)
        self.program, self.table, self.segments, self.indexes = program, table, segments, indexes
        self.asked = []
        """The segments that were fetched, in order; going on with one is not fetching it."""
        self.gives_bytes = 0
        """So much of each is given; the rest waits."""
        self.bits_s = None
        """If that is said: so fast is all of it given."""
        self.given = []
        """When how much of a segment had been given, in order."""
        self.registered = threading.Event()

    def let_all(self):
        """Give all of them."""
        self.gives_bytes, self.bits_s = max(map(len, self.segments.values())), None

    async def be(self, stop):
        table = HandlerTable(self.name)
        table.verb(LOCATE_SEGMENT, self._locate)
        table.verb(REQUEST_ENGINE_TOKEN, self._supply_token)
        table.resource(HELD_SEGMENT_PATH, self._segment, "A segment.", copied=True)
        table.resource(HELD_INDEX_PATH, self._index, "An index.", copied=True)
        async with (
            serve_ports(table, control=self.control, media=self.media, identification=self.own),
            HttpClient(random.Random(9), self.control.host, self.own) as http,
        ):
            await self._register(http)
            await self._report(http, "0-" + str(len(self.segments) - 1))
            self.registered.set()
            while not stop.is_set():
                await self._register(http)
                await asyncio.sleep(0.2)
            await self._report(http, "")

    async def _register(self, http):
        told = RegisterStation(
            station=self.name,
            director=str(self.control),
            media=str(self.media),
            epoch=1,
            engines=1,
            heard=0,
            lease_ms=2000,
            zone="city",
            free_bps=10**12,
            free_bytes=10**12,
        )
        self.generation = (await http.ask(self.center, REGISTER_STATION, told)).generation

    async def _report(self, http, segments):
        held = Holding(program=self.program, table=self.table, segments=segments)
        report = ReportLocations(
            station=self.name, epoch=1, generation=self.generation + 1, holdings=(held,) if segments else ()
        )
        await http.ask(self.center, REPORT_LOCATIONS, report)

    async def _locate(self, _):
        return SegmentLocation(media=str(self.media), ticket="any", control=str(self.control) if self.own else "")

    async def _supply_token(self, _):
        return EngineToken("any")

    async def _index(self, request):
        return web.Response(body=self.indexes[asked_segment(request.match_info, request.query).number])

    async def _segment(self, request):
        number = asked_segment(request.match_info, request.query).number
        content, sent = self.segments[number], request.http_range.start or 0
        began, first = time.time(), sent
        self.asked += [] if sent else [number]
        response = web.StreamResponse(status=206 if sent else 200, headers={"Content-Length": str(len(content) - sent)})
        await response.prepare(request)
        while sent < len(content):
            paced = self.bits_s and first + int((time.time() - began) * self.bits_s / 8)
            more = content[sent : self.gives_bytes if paced is None else paced]
            await response.write(more)
            sent += len(more)
            self.given.append((time.time(), sent))
            await asyncio.sleep(0.02)
        return response


def identity_of(network, name, host):
    """The network's authority knows it."""
    authority = AuthorityFolder(network.state / "identities" / "authority")
    known, folder = authority.load(), network.state / "identities" / name
    authority.issue(known, Identity.named(known.trust_domain, f"blade/{name}/1"), (host,), folder, utc_now())
    return IdentitySettings.in_folder(folder)


@contextmanager
def west_of(network, program, name, spoil=None):
    """A station of this name, which holds what `home` holds of a program; `spoil` may change a segment's bytes.

    How a source has been is remembered by who asks: each test has another.
    """
    segments, indexes = {}, {}
    for row in network.engines("home"):
        for path in network.segment_files(row, program):
            number = int(path.name.partition(".")[0])
            segments[number] = spoil(path.read_bytes()) if spoil else path.read_bytes()
            indexes[number] = path.with_suffix(".index").read_bytes()
            table = path.parent.name.partition(".")[2]
    west, stop = West(name, network, program, table, segments, indexes), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(west.be(stop),))
    thread.start()
    try:
        assert west.registered.wait(PATIENCE_S)
        yield west
    finally:
        west.let_all()
        stop.set()
        thread.join()
