"""A decoder's buffers as ISO/IEC 13818-1 describes them (2.4.2, 2.14.3.1), fed with a stream as it arrives.

Written from the standard: it knows nothing of how the stream was made. Time comes from the stream's own clock
references, what is decoded when from its own time stamps, and sizes from what its packets say they hold.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

PACKET = 188
TRANSPORT_BUFFER = 512
CLOCK = 27_000_000
# Table A-1 of H.264: level_idc to MaxBR and MaxCPB, both in units of 1200 for byte streams.
LEVELS = {
    9: (128, 350), 10: (64, 175), 11: (192, 500), 12: (384, 1000), 13: (768, 2000), 20: (2000, 2000),
    21: (4000, 4000), 22: (4000, 4000), 30: (10000, 10000), 31: (14000, 14000), 32: (20000, 20000),
    40: (20000, 25000), 41: (50000, 62500), 42: (50000, 62500), 50: (135000, 135000), 51: (240000, 240000),
}  # fmt: skip
ADTS_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}


class Complaint(NamedTuple):
    """What a decoder would suffer, and when, in seconds since the first clock reference."""

    pid: int
    what: str
    at_s: float
    bytes: float


@dataclass
class _Stream:
    """Buffers of one elementary stream."""

    pid: int
    leak: float = 0.0
    """Bytes a second, from the transport buffer into the main one."""
    size: float = 0.0
    """Bytes of the main buffer."""
    queue: deque[list[float]] = field(default_factory=deque)
    """Packets in the transport buffer: bytes, and those of them that go on."""
    transport: float = 0.0
    main: float = 0.0
    arrived: float = 0.0
    at: float = 0.0
    most: float = 0.0

    def flow(self, now: float) -> None:
        """Let the transport buffer leak until now."""
        room = self.leak * (now - self.at)
        self.at = now
        while self.queue and room > 1e-9:
            packet = self.queue[0]
            out = min(room, packet[0])
            payload = packet[1] * out / packet[0]
            room, packet[0], packet[1] = room - out, packet[0] - out, packet[1] - payload
            self.transport -= out
            self.main += payload
            self.arrived += payload
            if packet[0] <= 1e-9:
                self.queue.popleft()
        self.most = max(self.most, self.main)


class Model:
    """Feeds a whole stream to a decoder, and lists what went wrong."""

    def __init__(self, stream: bytes) -> None:
        self.complaints: list[Complaint] = []
        self.most: dict[int, float] = {}
        """The most that was in each main buffer, in bytes."""
        packets = [stream[at : at + PACKET] for at in range(0, len(stream), PACKET)]
        units = _units(packets)
        streams = {pid: _Stream(pid, *_sizes(found)) for pid, found in units.items()}
        events = sorted(_events(packets, units, _arrivals(packets)), key=lambda event: (event[0], event[1]))
        for at_s, kind, pid, payload, needed in events:
            state = streams[pid]
            state.flow(at_s)
            if kind == 0:
                self._arrive(state, at_s, payload)
            else:
                self._decode(state, at_s, payload, needed)
        self.most = {pid: state.most for pid, state in streams.items()}

    def _arrive(self, state: _Stream, at_s: float, payload: float) -> None:
        state.queue.append([PACKET, payload])
        state.transport += PACKET
        if state.transport > TRANSPORT_BUFFER + 1:
            self.complaints.append(Complaint(state.pid, "transport buffer overflows", at_s, state.transport))
        if state.main > state.size + 1:
            self.complaints.append(Complaint(state.pid, "main buffer overflows", at_s, state.main))

    def _decode(self, state: _Stream, at_s: float, length: float, needed: float) -> None:
        if state.main > state.size + 1:
            self.complaints.append(Complaint(state.pid, "main buffer overflows", at_s, state.main))
        if state.arrived + 1 < needed:
            self.complaints.append(Complaint(state.pid, "main buffer underflows", at_s, needed - state.arrived))
        state.main -= length


class _Unit(NamedTuple):
    due_s: float
    length: int
    first: bytes


def _arrivals(packets: list[bytes]) -> list[float]:
    """When each packet arrives whole: between clock references time runs evenly (2.4.2.2)."""
    clocks = [(index, clock) for index, packet in enumerate(packets) if (clock := _clock(packet)) is not None]
    (first, begin), arrivals = clocks[0], [0.0] * len(packets)
    for (before, earlier), (after, later) in pairwise(clocks):
        step = (later - earlier) / (after - before)
        span = range(before if before != first else 0, len(packets) if after == clocks[-1][0] else after)
        for index in span:
            arrivals[index] = (earlier + (index + 1 - before) * step - begin) / CLOCK
    return arrivals


def _clock(packet: bytes) -> int | None:
    if not packet[3] & 0x20 or packet[4] < 7 or not packet[5] & 0x10:
        return None
    bits = int.from_bytes(packet[6:12], "big")
    return (bits >> 15) * 300 + (bits & 0x1FF)


def _payload(packet: bytes) -> bytes:
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _pid(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def _stamp(field_: bytes) -> int:
    return (field_[0] >> 1 & 7) << 30 | (field_[1] << 7 | field_[2] >> 1) << 15 | (field_[3] << 7 | field_[4] >> 1)


def _units(packets: list[bytes]) -> dict[int, list[_Unit]]:
    """What is decoded at once, by stream."""
    begin = next(clock for clock in map(_clock, packets) if clock is not None)
    bodies: dict[int, list[bytearray]] = defaultdict(list)
    for packet in packets:
        payload = _payload(packet)
        if packet[1] & 0x40 and payload[:3] == b"\0\0\1":
            bodies[_pid(packet)].append(bytearray())
        if _pid(packet) in bodies:
            bodies[_pid(packet)][-1] += payload
    units: dict[int, list[_Unit]] = {}
    for pid, found in bodies.items():
        units[pid] = []
        for body in found:
            place = 14 if body[7] & 0x40 else 9
            due = _stamp(body[place : place + 5]) * 300 - begin
            units[pid].append(_Unit(due / CLOCK, len(body), bytes(body[9 + body[8] :])))
    return units


def _sizes(units: list[_Unit]) -> tuple[float, float]:
    """Leak in bytes a second, and the main buffer in bytes."""
    head = units[0].first
    if head[:2] == b"\xff\xf1" or head[:2] == b"\xff\xf9":
        channels = ADTS_CHANNELS[(head[2] & 1) << 2 | head[3] >> 6]
        return (2_000_000 / 8, 3584) if channels <= 2 else (5_529_600 / 8, 8976)
    parameters = head.index(b"\0\0\1\x67") + 4
    constraints, level = head[parameters + 1], head[parameters + 2]
    rate, buffer = LEVELS[9 if level == 11 and constraints & 0x10 else level]
    coded, most = 1200 * buffer / 8, max(1200 * rate, 2_000_000) / 8
    return 1200 * rate / 8, coded + 0.004 * most + most / 750


def _events(
    packets: list[bytes], units: dict[int, list[_Unit]], arrivals: list[float]
) -> Iterator[tuple[float, int, int, float, float]]:
    for packet, at_s in zip(packets, arrivals, strict=True):
        if _pid(packet) in units:
            yield at_s, 0, _pid(packet), len(_payload(packet)), 0.0
    for pid, found in units.items():
        total = 0
        for unit in found:
            total += unit.length
            yield unit.due_s, 1, pid, unit.length, total
