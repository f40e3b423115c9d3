"""The pipe between a daemon and the `up` that started it."""

import subprocess
import sys

import pytest

WATCHING = """
import asyncio, sys
from chassis_emulator.network.starter import Starter

async def live():
    starter, ended = Starter(), asyncio.Event()
    with starter.watched(ended.set):
        print("watching", starter.is_gone, file=sys.stderr, flush=True)
        await ended.wait()
        print("ended", starter.is_gone, file=sys.stderr, flush=True)

asyncio.run(live())
"""
READING = "from chassis_emulator.network.starter import Starter; print(Starter().read_order())"


def test_its_end_is_seen_at_once_and_before():
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHING], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr.readline() == "watching False\n"
        process.stdin.close()
        assert process.stderr.readline() == "ended True\n"
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("begun", ["", '{"topology":', '{"topology":{}}'])
def test_an_order_that_was_not_finished_is_none(begun):
    finished = subprocess.run([sys.executable, "-c", READING], input=begun, capture_output=True, text=True, check=True)
    assert finished.stdout == "None\n"
