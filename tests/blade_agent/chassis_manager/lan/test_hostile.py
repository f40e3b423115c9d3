"""Whatever comes in: no exception gets out, nothing is answered that should not be, and nothing changes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blade_agent.backplane.message import Request, decode
from blade_agent.chassis_manager.lan.bridge import Bridged
from blade_agent.chassis_manager.lan.packet import (
    MAX_DATAGRAM_BYTES,
    LanFault,
    Packet,
    PacketDropped,
    read,
    write,
    write_protected,
)

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = b"\x06\x00\xff\x07"
AT_20H = [
    *((0, n) for n in (0, 1, 2, 4)),
    *((4, n) for n in (0x02, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2D, 0x2F)),
    *((6, n) for n in (1, 2, 3, 4, 8, 0x2E, 0x2F)),
    *((0x0A, n) for n in (0x10, 0x11, 0x12, 0x20, 0x22, 0x23, 0x40, 0x42, 0x43, 0x44, 0x46, 0x47, 0x48, 0x49)),
    *((0x2C, n) for n in (0, 1)),
]
COMPLETIONS = {0, 0x80, 0x81, 0x83, 0x87, 0xC0, 0xC1, 0xC2, 0xC4, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCC, 0xD4, 0xD5}
KNOWN_COMMANDS = st.sampled_from([(6, n) for n in (1, 4, 8, 0x34, 0x37, 0x38, 0x3B, 0x3D, 0x41, 0x42, 0x54)])


def state(endpoint):
    """Everything that a packet without authority must not change."""
    return (
        [(s.managed_id, s.heard, s.peer, s.privilege, s.used, s.bridged) for s in endpoint.sessions],
        endpoint.login.attempts.failures,
    )


@FEW
@given(octets=st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: HEADER + tail))
def test_noise(console, endpoint, octets):
    if not len(endpoint.sessions):
        console.log_in()
    before = state(endpoint)
    assert len(console.send(octets)) <= 1
    assert state(endpoint) == before


@FEW
@given(
    payload_type=st.integers(0, 63),
    flags=st.sampled_from([0, 0x40, 0x80, 0xC0]),
    own_session=st.booleans(),
    session=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**32 - 1),
    length=st.none() | st.integers(0, 65535),
    payload=st.binary(max_size=250),
    trailer=st.binary(max_size=40),
)
def test_packets_that_are_nearly_right(
    console, endpoint, payload_type, flags, own_session, session, sequence, length, payload, trailer
):
    if not len(endpoint.sessions):
        console.log_in()
    before = state(endpoint)
    kind = payload_type | flags
    number = console.session if own_session else session
    octets = HEADER + bytes((6, kind)) + number.to_bytes(4, "little") + sequence.to_bytes(4, "little")
    octets += (len(payload) if length is None else length).to_bytes(2, "little") + payload + trailer
    answers = console.send(octets)
    assert not (number and answers)
    assert state(endpoint) == before


@FEW
@given(data=st.data())
def test_a_good_packet_cut_or_spoiled_anywhere(console, endpoint, data):
    if not len(endpoint.sessions):
        console.log_in()
    packet = console.packet(6, 1)
    spoiled = bytearray(packet)
    spoiled[data.draw(st.integers(4, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
    before = state(endpoint)
    assert console.send(packet[: data.draw(st.integers(0, len(packet) - 1))]) == []
    assert console.send(bytes(spoiled)) == []
    assert state(endpoint) == before
    assert len(console.send(packet)) == 1


@FEW
@given(step=st.sampled_from([0x10, 0x12, 0x14]), payload=st.binary(max_size=80))
def test_steps_of_a_login_that_make_no_sense(console, endpoint, step, payload):
    console.step(step, payload)
    assert len(endpoint.sessions) == 0
    assert endpoint.login.half_open <= 8


@FEW
@given(
    code=KNOWN_COMMANDS
    | st.sampled_from(AT_20H)
    | st.tuples(st.integers(0, 31).map(lambda n: 2 * n), st.integers(0, 255)),
    data=st.binary(max_size=90) | st.binary(max_size=12).map(lambda tail: b"\0" + tail),
    lun=st.sampled_from([0, 0, 0, 1, 3]),
)
def test_every_command_with_any_data_gets_one_answer(console, endpoint, code, data, lun):
    if code == (6, 0x3C):
        return
    if not len(endpoint.sessions):
        console.log_in()
    if endpoint.sessions.find(console.session).privilege != 4:
        console.ask(6, 0x3B, b"\4")
    (answer,) = console.send(console.packet(*code, data, lun=lun))
    if not isinstance(answer, Bridged):
        response = console.read(answer)
        assert (response.net_fn, response.command) == (code[0] | 1, code[1])
        assert response.completion in COMPLETIONS


@FEW
@given(code=KNOWN_COMMANDS, data=st.binary(max_size=20), plus=st.booleans())
def test_outside_a_session_only_what_comes_before_a_login_is_told(console, endpoint, code, data, plus):
    request = Request(responder=0x20, requester=0x81, net_fn=code[0], command=code[1], sequence=5, data=data)
    (answer,) = console.send(write(Packet(payload=request.encode(), plus=plus)))
    response = decode(read(answer).payload)
    if code[1] not in {0x37, 0x38, 0x54}:
        assert response.completion == 0xD4
    # Nobody is to be hit with more than he sent, by somebody who wrote his address on it.
    assert len(answer) <= 3 * len(request.encode()) + 28


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"", LanFault.NOT_RMCP),
        (b"\x06\x00\xff", LanFault.NOT_RMCP),
        (b"\x05\x00\xff\x07" + bytes(20), LanFault.NOT_RMCP),
        (b"\x06\x00\xff\x08" + bytes(20), LanFault.NOT_RMCP),
        (HEADER + bytes(MAX_DATAGRAM_BYTES), LanFault.TOO_LONG),
        (HEADER + b"\x06\x00" + bytes(5), LanFault.CUT_SHORT),
        (HEADER + b"\x06\x00" + bytes(8) + b"\xff\xff", LanFault.CUT_SHORT),
        (HEADER + b"\x00" + bytes(8) + b"\x07" + bytes(3), LanFault.CUT_SHORT),
        (HEADER + b"\x02" + bytes(8) + b"\x07" + bytes(23), LanFault.UNKNOWN_SESSION),
        (b"\x06\x00\xff\x06" + bytes(3), LanFault.CUT_SHORT),
        (b"\x06\x00\xff\x06" + bytes(8), LanFault.NOT_RMCP),
    ],
)
def test_datagrams_that_are_dropped_are_told_apart(octets, fault):
    with pytest.raises(PacketDropped) as dropped:
        read(octets)
    assert dropped.value.fault is fault


def lengths(payload_bytes):
    """Give a packet of a session whose length field says something else than what follows."""
    return HEADER + b"\x06\xc0" + bytes(8) + payload_bytes.to_bytes(2, "little") + bytes(40)


@FEW
@given(
    session=st.integers(1, 0xFFFFFFFF),
    sequence=st.integers(0, 0xFFFFFFFF),
    payload_type=st.integers(0, 0x3F),
    payload=st.binary(max_size=120),
)
def test_a_session_that_was_never_opened_costs_a_look_and_gets_nothing(
    console, endpoint, session, sequence, payload_type, payload
):
    if not len(endpoint.sessions):
        console.log_in()
        console.ask(6, 1)
    if session == console.session:
        return
    before, faults = state(endpoint), endpoint.faults.total()
    packet = Packet(payload_type=payload_type, payload=payload, session=session, sequence=sequence, protected=True)
    assert console.send(write_protected(packet, bytes(16))) == []
    assert (state(endpoint), endpoint.faults.total()) == (before, faults + 1)


@FEW
@given(st.integers(0, 0xFFFF))
def test_lengths_that_lie_are_dropped(console, endpoint, payload_bytes):
    faults = endpoint.faults.total()
    assert console.send(lengths(payload_bytes)) == []
    assert endpoint.faults.total() == faults + 1


@FEW
@given(code=st.binary(min_size=0, max_size=40))
def test_a_wrong_integrity_code_changes_nothing_and_the_right_one_still_counts(console, endpoint, code):
    if not len(endpoint.sessions):
        console.log_in()
        console.ask(6, 1)
    good = console.packet(6, 1)
    right = good[-16:]
    if code == right:
        return
    before = state(endpoint)
    assert console.send(good[:-16] + code) == []
    assert state(endpoint) == before
    assert len(console.send(good)) == 1
    assert console.send(good) == []
