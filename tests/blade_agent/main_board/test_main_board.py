"""What a main board counts is counted since the agent's start: it goes on over directors and roles."""

import asyncio
import random

import aiohttp

from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.main_board import Equipment, RunningMainBoard
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.segment_url import segment_target
from tests.patience import until


def test_counters_go_on_when_the_director_changes_and_when_the_role_ends(tmp_path, free_port):
    address, media, nobody = (Address("127.0.0.1", free_port()) for _ in range(3))
    without_ticket = f"http://{media}{segment_target('film', 0, 'none')}"

    def engine(epoch):
        return RoleAssignment(role=Role.ENGINE, epoch=epoch, station="north", director=nobody)

    async def story():
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "disk"])
        board = Equipment(
            slot=2,
            address=address,
            media=media,
            capacity_bps=10**9,
            state=tmp_path,
            store=store,
            files=DiskFiles(),
        )
        main_board = RunningMainBoard(board, random.Random(1))
        running = asyncio.create_task(main_board.run())
        counted = []
        async with aiohttp.ClientSession() as http:
            for assignment in (engine(1), engine(2), RoleAssignment(), engine(3)):
                main_board.assign(assignment)
                await until(lambda: main_board.status().state is MainBoardState.READY)
                async with http.get(without_ticket) as answer:
                    counted.append((answer.status, main_board.figures().engine.refusals))
        running.cancel()
        await asyncio.wait([running])
        store.close()
        return counted

    assert asyncio.run(story()) == [(403, 1), (403, 2), (503, 2), (403, 3)]
