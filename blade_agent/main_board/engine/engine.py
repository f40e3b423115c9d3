"""A media engine on duty: its store, its copies, its streams, and its bond with the director, put together."""

import asyncio
import random

from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.director_link import DirectorLink, EngineDuty, Load
from blade_agent.main_board.engine.segment_resource import SEGMENT_PATH, SegmentResource
from blade_agent.main_board.engine.store import SegmentStore
from blade_agent.main_board.engine.streaming.push_socket import open_push_socket
from blade_agent.main_board.engine.streaming.streams import Streams
from media_network.http_client import HttpClient
from media_network.http_server import HandlerTable, serve
from media_network.messages.engine import CEASE, FETCH, PRELOAD, START, STREAM

__all__ = ["EngineDuty", "run_engine"]


async def run_engine(duty: EngineDuty, store: SegmentStore, rng: random.Random) -> None:
    """Be a media engine until cancelled. Raises OSError when the address cannot be bound."""
    boot = f"{rng.getrandbits(64):016x}"
    async with (
        HttpClient(rng, duty.address.host) as client,
        open_push_socket(duty.address.host) as push_socket,
        asyncio.TaskGroup() as tasks,
    ):
        director = DirectorLink(duty, boot, client, store)
        copying = Copying(store, client, director, duty.epoch, tasks)
        resource = SegmentResource(store, director)
        streams = Streams(
            duty=duty, store=store, director=director, client=client, push_socket=push_socket, tasks=tasks
        )
        load = LoadMeter(streams, resource, asyncio.get_running_loop().time())
        async with serve(_table(copying, resource, streams), duty.address) as director.own:
            tasks.create_task(store.watch_space(), name="space")
            tasks.create_task(streams.pusher.run(), name="pusher")
            tasks.create_task(director.watch_lease(streams.expire), name="lease")
            try:
                await director.keep(load.measure, streams.revoke, streams.expire)
            finally:
                streams.close()


def _table(copying: Copying, resource: SegmentResource, streams: Streams) -> HandlerTable:
    table = HandlerTable("media engine")
    table.verb(FETCH, copying.fetch)
    table.verb(STREAM, streams.stream)
    table.verb(PRELOAD, streams.preload)
    table.verb(START, streams.start)
    table.verb(CEASE, streams.cease)
    table.resource(SEGMENT_PATH, resource.get)
    return table


class LoadMeter:
    """What the engine sends, for its reports."""

    def __init__(self, streams: Streams, resource: SegmentResource, now_s: float) -> None:
        self._streams = streams
        self._resource = resource
        self._measured_s = now_s
        self._sent_bytes = 0

    def measure(self) -> Load:
        """The load since the last time."""
        now_s = asyncio.get_running_loop().time()
        sent_bytes = self._resource.sent_bytes
        passed_s = max(now_s - self._measured_s, 0.001)
        pull_bps = round((sent_bytes - self._sent_bytes) * 8 / passed_s)
        self._measured_s, self._sent_bytes = now_s, sent_bytes
        return Load(streams=self._streams.cursors, push_bps=self._streams.rate_bps, pull_bps=pull_bps)
