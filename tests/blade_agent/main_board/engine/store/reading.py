"""Reading a segment from a store, all of it."""

from tests.blade_agent.main_board.engine.station import PROGRAM


async def read_all(store, number, program=PROGRAM):
    stored = await store.read(program, number)
    try:
        data = bytearray(stored.length_bytes)
        await stored.read_into(0, memoryview(data))
        return bytes(data)
    finally:
        stored.close()
