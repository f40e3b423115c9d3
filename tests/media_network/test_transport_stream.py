"""Reading transport stream packets that were made by hand, and any others."""

from hypothesis import given
from hypothesis import strategies as st

from media_network.transport_stream import (
    TIME_STAMP_TURN,
    Packets,
    presentation_time,
    program_map_pid,
    time_between,
    video_pid,
)
from tests.distribution_center.content.packets import (
    AUDIO_PID,
    CLOCK_ONLY,
    MAP,
    MAP_PID,
    NULL,
    PAT,
    REST,
    SERVICES,
    SOUND,
    VIDEO_PID,
    packet,
    picture,
)

ANY_PACKET = st.binary(min_size=187, max_size=187).map(lambda rest: b"\x47" + rest)


def test_tables_lead_to_the_video() -> None:
    packets = Packets(PAT + MAP)
    assert program_map_pid(packets.payload(0)) == MAP_PID
    assert video_pid(packets.payload(1)) == VIDEO_PID
    assert program_map_pid(packets.payload(1)) is None
    assert video_pid(packets.payload(0)) is None


def test_what_a_packet_says() -> None:
    packets = Packets(picture(1, access=True) + REST + SOUND + NULL + CLOCK_ONLY + SERVICES)
    assert [packets.pid(n) for n in range(6)] == [VIDEO_PID, VIDEO_PID, AUDIO_PID, 0x1FFF, VIDEO_PID, 0x11]
    assert list(packets.unit_starts()) == [0, 2, 5]
    assert [packets.random_access(n) for n in range(6)] == [True, False, False, False, False, False]
    assert packets.payload(1) == b"\xaa" * 100
    assert packets.payload(4) == b""
    assert packets.quiet(3, 6)
    assert packets.quiet(3, 3)
    assert not packets.quiet(2, 6)
    assert packets.out_of_step() is None
    assert Packets(NULL * 2 + bytes(188) + NULL).out_of_step() == 2


@given(st.integers(0, TIME_STAMP_TURN - 1), st.integers(0, TIME_STAMP_TURN * 300 - 1))
def test_times_are_read_as_written(presented: int, clock: int) -> None:
    packets = Packets(NULL + picture(presented, clock=clock) + packet(AUDIO_PID, None, clock=clock))
    assert presentation_time(packets.payload(1)) == presented
    assert list(packets.clock_references()) == [(1, clock), (2, clock)]


@given(st.integers(0, TIME_STAMP_TURN - 1), st.integers(-(1 << 31), 1 << 31))
def test_time_between_turns(earlier: int, ticks: int) -> None:
    assert time_between(earlier, (earlier + ticks) % TIME_STAMP_TURN) == ticks


@given(st.lists(ANY_PACKET, min_size=1, max_size=10))
def test_any_packets_are_read(packets: list[bytes]) -> None:
    batch = Packets(b"".join(packets))
    for index in range(batch.count):
        payload = batch.payload(index)
        assert len(payload) <= 184
        assert batch.random_access(index) in {True, False}
        for value in (program_map_pid(payload), video_pid(payload)):
            assert value is None or 0 <= value < 1 << 13
    assert all(0 <= index < batch.count for index, _ in batch.clock_references())


@given(st.binary(max_size=184), st.sampled_from([0, 2]))
def test_any_section_is_read(body: bytes, table_id: int) -> None:
    payload = bytes([0, table_id]) + (0xB000 | len(body)).to_bytes(2, "big") + body
    for value in (program_map_pid(payload), video_pid(payload)):
        assert value is None or 0 <= value < 1 << 13
