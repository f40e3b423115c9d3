"""Reading a segment from a store, all of it."""

from tests.blade_agent.main_board.engine.station import CUT


async def read_all(store, number, cut=CUT):
    stored = await store.read(cut, number)
    try:
        data = bytearray(stored.length_bytes)
        await stored.read_into(0, memoryview(data))
        return bytes(data)
    finally:
        stored.close()
