"""A director and engines that do what a script says: real HTTP and UDP on loopback, and every way to go wrong."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256

from aiohttp import web

from media_network.address import Address
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve
from media_network.messages import content, program_information, registry, steering, streaming, watching
from media_network.messages.verb import Done
from media_network.packets import DATAGRAM_BYTES
from media_network.refusal import Reason, Refused
from tests.programs import program_with, segment_of

ANY_PORT = Address("127.0.0.1", 0)


def film(*packets, seed=1):
    """A program of segments with so many packets each, and their bytes; every segment begins with a PAT's header."""
    rng = random.Random(seed)
    bodies = [b"\x47\x40\x00\x10" + rng.randbytes(count * 188 - 4) for count in packets]
    segments = [segment_of(body, number) for number, body in enumerate(bodies)]
    whole = sha256(b"".join(bodies)).hexdigest()
    return program_with(segments, rate_bps=8_000_000, sha256=whole), bodies


class PullStation:
    """By HLS: the director redirects segment n to the engines of `script[n]` in turn, the last one for ever."""

    def __init__(self, bodies):
        self.bodies = bodies
        self.script = {}
        self.asked = []
        self.director = None
        self.addresses = {}
        self.media = ""
        """What a multivariant playlist leads to."""
        self.playlist = "\n".join(
            ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1"]
            + [f"#EXTINF:1.0,\nsegments/{number}.ts?ticket=s.1" for number in range(len(bodies))]
            + ["#EXT-X-ENDLIST"]
        )

    @asynccontextmanager
    async def up(self):
        async with AsyncExitStack() as stack:
            for name in ("one", "two", "three"):
                table = HandlerTable(name)
                table.resource("/segments/film/{number}.ts", self._engine(name))
                self.addresses[name] = await stack.enter_async_context(serve(table, ANY_PORT))
            table = HandlerTable("Director")
            table.resource("/programs/film/playlist.m3u8", self._give_playlist)
            table.resource("/programs/film/media.m3u8", self._give_media)
            table.resource("/programs/film/segments/{number}.ts", self._redirect)
            self.director = await stack.enter_async_context(serve(table, ANY_PORT))
            yield self

    async def _give_playlist(self, _):
        return web.Response(text=self.playlist, content_type="application/vnd.apple.mpegurl")

    async def _give_media(self, _):
        return web.Response(text=self.media, content_type="application/vnd.apple.mpegurl")

    async def _redirect(self, http):
        number = int(http.match_info["number"])
        assert http.query["ticket"] == "s.1"
        turns = self.script.setdefault(number, [("one", "good")])
        name, how = turns.pop(0) if len(turns) > 1 else turns[0]
        if name == "director":
            return how()
        self.asked.append((number, name, http.headers.get("Range")))
        raise web.HTTPFound(f"http://{self.addresses[name]}/segments/film/{number}.ts?ticket=s.1&how={how}")

    def _engine(self, name):
        async def give(http):
            body = self.bodies[int(http.match_info["number"])]
            how = http.query["how"]
            if how == "gone":
                return web.Response(status=409, body=b'{"reason":"not_here","detail":"it was deleted"}')
            first = 0 if how == "no-range" else (http.http_range.start or 0)
            body = bytes(len(body)) if how == "foreign" else body[first:]
            body = body + b"more" if how == "longer" else body
            response = web.StreamResponse(status=206 if first else 200)
            response.content_length = len(body)
            if first:
                response.headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{first + len(body)}"
            await response.prepare(http)
            if how == "breaks":
                await response.write(body[: len(body) // 3])
                await asyncio.sleep(0.01)
                http.transport.abort()
                return response
            await response.write(body)
            return response

        return give


class PushStation:
    """By push: two engines, each with its own UDP source; `send` says which sends what."""

    def __init__(self, program, bodies):
        self.program, self.bodies = program, bodies
        self.sources = []
        self.names = []
        self.engines = []
        self.state = watching.SessionState.REDIRECTED
        self.served = []
        self.told_max = 2
        self.report_interval_ms = 50
        self.told = []
        self.ceased = []
        self.played = []
        self.streaming = asyncio.Event()
        self.was_ceased = asyncio.Event()
        self.asked_to_stream = asyncio.Event()
        self.refusals = []
        self.stream_refusals = []
        self.ends_after_cease = True
        self.steered = []
        """What consoles have ordered."""
        self.stopped_at = 0
        """The segment before which the stream stops when it is paused, and goes on."""
        self.seek = None
        """What becomes of SEEK."""
        self.unknown = False
        self.asked_in_vain = 0
        self._directors = []
        self.director = None

    @asynccontextmanager
    async def up(self):
        async with AsyncExitStack() as stack:
            for number in range(2):
                endpoint = asyncio.get_running_loop().create_datagram_endpoint
                source, _ = await endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
                stack.callback(source.close)
                self.sources.append(source)
                self.names.append(str(Address(*source.get_extra_info("sockname"))))
                table = HandlerTable("Engine")
                table.verb(streaming.STREAM, self._stream)
                table.verb(streaming.CEASE, self._cease(number))
                table.verb(watching.ASK_DIRECTOR, self._tell_director)
                self.engines.append(str(await stack.enter_async_context(serve(table, ANY_PORT))))
            self._stack = stack
            self.director = await self._appoint()
            yield self

    async def change_director(self):
        """Another address directs; the one before answers that it does not."""
        await self._appoint()

    async def _appoint(self):
        table = HandlerTable("Director")
        table.verb(streaming.PLAY, self._play)
        table.verb(watching.WATCHING, self._watching_at(len(self._directors)))
        table.verb(steering.PAUSE, self._pause)
        table.verb(steering.RESUME, self._resume)
        table.verb(steering.SEEK, self._seek)
        table.verb(steering.END_STREAM, self._end_stream)
        address = await self._stack.enter_async_context(serve(table, ANY_PORT))
        self._directors.append(address)
        return address

    def _watching_at(self, number):
        async def answer(message):
            if number < len(self._directors) - 1:
                return Refused(Reason.WRONG_ROLE)
            return await self._watching(message)

        return answer

    async def _tell_director(self, _):
        return watching.DirectorSeen(media=str(self._directors[-1]))

    async def send(self, segment, source, *, lost=(), first_packet=0, turn=None, known=True, jump=None, packets=None):
        """Send a segment from a source, or so many packets, in datagrams as engines cut them, but those whose numbers
        are `lost`.

        A turn that is not `known` only a director knew that is gone.
        """
        served = watching.Served(
            turn=turn or len(self.served) + 1,
            segment=self.program.segments[segment],
            packet=first_packet,
            engine=self.engines[source],
            jump=jump,
        )
        self.served += [served] if known else []
        body = self.bodies[segment][first_packet * 188 :][: None if packets is None else packets * 188]
        for number, begin in enumerate(range(0, len(body), DATAGRAM_BYTES)):
            if number not in lost:
                self.sources[source].sendto(body[begin : begin + DATAGRAM_BYTES], self.console)
            # The receiver lives on the same loop: it takes what was sent before more is sent.
            await asyncio.sleep(0)
        # Between two sources there is no order but time's.
        await asyncio.sleep(0.002)

    def end(self):
        self.state = watching.SessionState.ENDED

    @property
    def console(self):
        return tuple(Address.parse(self.played[-1].console))

    async def _play(self, message):
        if self.refusals:
            return self.refusals.pop(0)
        self.played.append(message)
        return streaming.Redirect(
            session=f"s{len(self.played)}",
            turn=1,
            engine=self.engines[0],
            ticket="t",
            program=self.program.header,
            first=self.program.segments[0],
            report_interval_ms=self.report_interval_ms,
        )

    async def _watching(self, message):
        if self.unknown or message.session != f"s{len(self.played)}":
            self.asked_in_vain += 1
            return Refused(Reason.UNKNOWN_SESSION)
        unknown = [one for one in self.served if one.turn > (message.known_turn or 0)]
        self.told += [one.turn for one in unknown[: self.told_max]]
        return watching.StreamView(
            session=message.session,
            state=self.state,
            engine=self.served[-1].engine if self.served else self.engines[0],
            served=tuple(unknown[: self.told_max]),
            more=len(unknown) > self.told_max,
        )

    def place(self, segment, packet=0):
        packets = sum(self.program.segments.packets(number) for number in range(segment)) + packet
        return watching.ProgramPoint(segment=segment, packet=packet, packets=packets, at_ms=0)

    async def _pause(self, message):
        self.steered.append(message)
        self.state = watching.SessionState.PAUSED
        return steering.Steered(state=self.state, place=self.place(self.stopped_at))

    async def _resume(self, message):
        self.steered.append(message)
        if self.unknown and message.bookmark is None:
            return Refused(Reason.UNKNOWN_SESSION)
        self.unknown = False
        self.state = watching.SessionState.STREAMING
        return steering.Steered(state=self.state, place=self.place(self.stopped_at))

    async def _seek(self, message):
        self.steered.append(message)
        return await self.seek(message)

    async def _end_stream(self, message):
        self.steered.append(message)
        self.end()
        return Done()

    async def _stream(self, message):
        self.asked_to_stream.set()
        if self.stream_refusals:
            return self.stream_refusals.pop(0)
        self.state = watching.SessionState.STREAMING
        self.streaming.set()
        return Done()

    def _cease(self, number):
        async def cease(message):
            self.ceased.append((number, message.session, message.turn))
            self.was_ceased.set()
            if self.ends_after_cease:
                self.end()
            return streaming.Ceased(boot="b", cursor=None)

        return cease


class ScriptedCenter:
    """A center that knows one program, and stations that have it or not."""

    def __init__(self, program, stations, state=content.ProgramState.PUBLISHED):
        self.program, self.stations, self.state = program, stations, state

    @asynccontextmanager
    async def up(self):
        table = HandlerTable("Center")
        table.verb(content.LIST_PROGRAMS, self._programs)
        table.verb(registry.LIST_DOORS, self._doors)
        table.verb(content.ASK_PROGRAM_ROW, self._row)
        table.verb(program_information.ASK_CENTER_PROGRAM, self._header)
        table.resource(program_information.PART_PATH, self._part)
        async with serve(table, ANY_PORT) as address:
            yield address

    async def _programs(self, _):
        return content.Programs((self.row(),))

    def row(self):
        program = self.program.header
        return content.ProgramRow(
            program=program.program,
            title=program.title,
            state=self.state,
            sha256=program.sha256,
            segments=program.segments,
            bytes=program.length_bytes,
            duration_ms=program.duration_ms,
            stations={name: count for name, (_, count) in self.stations.items()},
            holding=len(self.stations),
            whole=sum(count == program.segments for _, count in self.stations.values()),
        )

    async def _doors(self, question):
        of_all = self.program.header.segments
        found = [
            registry.StationDoor(station=name, media=str(address), home=name == "home")
            for name, (address, count) in self.stations.items()
            if question.station in {None, name} and (question.program is None or count == of_all)
        ]
        return registry.Doors(tuple(found[: question.limit]), more=len(found) > question.limit)

    async def _row(self, question):
        return self.row() if question.program == "film" else Refused(Reason.UNKNOWN_PROGRAM)

    async def _header(self, _):
        return self.program.header

    async def _part(self, request):
        async def read(_):
            return self.program.segments.octets

        return await part_response(request, read)
