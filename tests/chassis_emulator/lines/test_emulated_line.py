import asyncio
import os
import time
from contextlib import contextmanager

import pytest
import serial

from chassis_emulator.lines.emulated_line import open_line
from tests.patience import PATIENCE_S, until


@contextmanager
def port(path: str):
    with serial.Serial(path, 115_200, timeout=0) as opened:
        yield opened


async def receive(opened: serial.Serial, count: int) -> bytes:
    loop, got, done = asyncio.get_running_loop(), bytearray(), asyncio.Event()

    def read() -> None:
        got.extend(os.read(opened.fileno(), 4096))
        if len(got) >= count:
            done.set()

    loop.add_reader(opened.fileno(), read)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
    finally:
        loop.remove_reader(opened.fileno())
    return bytes(got)


def test_both_directions_carry_all_bytes_at_the_lines_rate():
    everything = bytes(range(256)) * 4

    async def converse() -> float:
        with open_line(115_200) as line, port(line.blade_path) as blade, port(line.manager_path) as manager:
            start = time.monotonic()
            blade.write(everything)
            manager.write(everything[::-1])
            assert await asyncio.gather(receive(manager, 1024), receive(blade, 1024)) == [
                everything,
                everything[::-1],
            ]
            assert line.to_blade.delivered_bytes == line.to_manager.delivered_bytes == 1024
            return time.monotonic() - start

    assert asyncio.run(converse()) >= 1024 * 10 / 115_200


def test_a_blade_that_comes_back_finds_its_line_and_no_stale_bytes():
    async def converse() -> None:
        with open_line(921_600) as line, port(line.manager_path) as manager:
            with port(line.blade_path) as blade:
                manager.write(b"first")
                assert await receive(blade, 5) == b"first"
            manager.write(b"to nobody")
            await until(lambda: line.to_blade.delivered_bytes == 14)
            line.forget_unread_at_blade()
            with port(line.blade_path) as blade:
                manager.write(b"second")
                assert await receive(blade, 6) == b"second"

    asyncio.run(converse())


def write_what_goes(descriptor, data):
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0


def test_what_nobody_reads_overruns_and_is_counted():
    async def flood() -> None:
        with open_line(100_000_000) as line, port(line.manager_path) as manager:
            loop, sent = asyncio.get_running_loop(), 0
            async with asyncio.timeout(PATIENCE_S):
                while not line.to_blade.overrun_bytes:
                    sent += await loop.run_in_executor(None, write_what_goes, manager.fileno(), bytes(2048))
            await until(lambda: line.to_blade.delivered_bytes + line.to_blade.overrun_bytes == sent)

    asyncio.run(flood())


def test_an_idle_line_wakes_nobody():
    async def idle() -> float:
        with open_line(115_200), open_line(9600):
            before = time.process_time()
            await asyncio.sleep(0.5)
            return time.process_time() - before

    assert asyncio.run(idle()) < 0.05


def test_devices_vanish_with_the_line():
    async def open_and_close() -> tuple[str, int]:
        with open_line(115_200) as line:
            # As long as a program has the device open, no other terminal of this machine gets its number.
            return line.blade_path, os.open(line.blade_path, os.O_RDWR | os.O_NOCTTY)

    path, held = asyncio.run(open_and_close())
    try:
        with pytest.raises(serial.SerialException):
            serial.Serial(path)
    finally:
        os.close(held)
