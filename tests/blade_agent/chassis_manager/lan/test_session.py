import pytest

from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.packet import LanFault, Packet, packet_octets, write
from blade_agent.chassis_manager.lan.session import TIMEOUT_S, ReplayWindow

GET_DEVICE_ID = (6, 1)


@pytest.fixture
def session(console):
    assert console.log_in() == 0
    console.ask(6, 0x3B, b"\4")
    return console


def test_what_is_sent_again_is_dropped(session, endpoint):
    packet = session.packet(*GET_DEVICE_ID)
    assert len(session.send(packet)) == 1
    assert session.send(packet) == []
    assert endpoint.faults == {LanFault.REPLAYED: 1}


def test_the_window_takes_each_number_once_in_any_near_order():
    window = ReplayWindow()
    taken = []
    for sequence in (1, 3, 2, 2, 3, 1, 0, 20, 5, 4, 19, 20, 5, 40, 1000, 985, 984, 986, 985):
        if window.is_new(sequence):
            window.mark(sequence)
            taken.append(sequence)
    assert taken == [1, 3, 2, 20, 5, 19, 40, 1000, 985, 986]


@pytest.mark.parametrize("at", [4, 5, 6, 10, 14, 16, 20, 40, -14, -17, -18, -1])
def test_a_packet_with_a_changed_bit_is_dropped_and_changes_nothing(session, endpoint, at):
    packet = bytearray(session.packet(*GET_DEVICE_ID))
    packet[at] ^= 0x40
    heard = [s.heard for s in endpoint.sessions]
    session.now += 10
    assert session.send(bytes(packet)) == []
    assert endpoint.faults.total() == 1
    assert [s.heard for s in endpoint.sessions] == heard
    packet[at] ^= 0x40
    assert len(session.send(bytes(packet))) == 1


def test_a_forged_sequence_number_does_not_shut_the_owner_out(session, endpoint):
    forged = Packet(payload=bytes(32), session=session.session, sequence=0xFFFFFFFF, protected=True)
    assert session.send(write(forged) + bytes(18)) == []
    assert endpoint.faults == {LanFault.BAD_INTEGRITY: 1}
    assert session.ask(*GET_DEVICE_ID).completion == 0


def test_a_session_takes_nothing_in_the_clear(session, endpoint):
    clear = Packet(payload=bytes.fromhex("2018c88104017a"), session=session.session, sequence=9)
    assert session.send(write(clear)) == []
    assert endpoint.faults == {LanFault.UNPROTECTED: 1}


def test_a_silent_session_ends(session, endpoint):
    session.now += TIMEOUT_S
    assert session.ask(*GET_DEVICE_ID).completion == 0
    session.now += TIMEOUT_S + 0.1
    assert session.ask(*GET_DEVICE_ID) is None
    assert endpoint.faults == {LanFault.UNKNOWN_SESSION: 1}


def test_answers_go_where_the_last_authentic_packet_came_from(session, make_console, endpoint):
    moved = session.packet(*GET_DEVICE_ID)
    session.peer = type(session.peer)("10.0.0.77", 4000)
    (answer,) = endpoint.receive(moved, session.peer, session.now)
    assert answer.to == session.peer


def test_close_session_closes_ones_own_and_an_administrators_any(session, make_console, endpoint):
    watch = make_console(host="10.0.0.20")
    assert watch.log_in(b"watch", b"only looking", 0x12) == 0
    assert watch.ask(6, 0x3C, session.session.to_bytes(4, "little")).completion == 0xD4
    assert watch.ask(6, 0x3C, bytes(4) + b"\x09").completion == 0x87
    assert watch.ask(6, 0x3C, bytes(4)).completion == 0xC7
    assert session.ask(6, 0x3C, watch.session.to_bytes(4, "little")).completion == 0
    assert watch.ask(*GET_DEVICE_ID) is None
    assert session.ask(6, 0x3C, session.session.to_bytes(4, "little")).completion == 0
    assert len(endpoint.sessions) == 0


def test_session_info_by_every_key(session):
    own = session.ask(6, 0x3D, b"\0").data
    assert own[:6] == bytes((1, 16, 1, 2, 4, 0x11))
    assert own[6:] == bytes((10, 0, 0, 9)) + bytes(6) + (50000).to_bytes(2, "little")
    assert session.ask(6, 0x3D, b"\1").data == own
    assert session.ask(6, 0x3D, b"\xfe\1").data == own
    assert session.ask(6, 0x3D, b"\xff" + session.session.to_bytes(4, "little")).data == own
    assert session.ask(6, 0x3D, b"\2").data == bytes((0, 16, 1))
    assert session.ask(6, 0x3D, b"\xfe\7").data == bytes((0, 16, 1))
    assert session.ask(6, 0x3D, b"\xfe").completion == 0xC7


def test_completion_codes_of_what_cannot_be_carried_out(session):
    assert session.ask(6, 0x7F).completion == 0xC1
    assert session.ask(6, 1, b"x").completion == 0xC7
    assert session.ask(6, 1, lun=1).completion == 0xC2
    assert session.ask(6, 0x42, b"\x05").completion == 0xCC
    assert session.ask(0x2C, 0, b"").completion == 0xC7
    assert session.ask(6, 0x3B, b"\x02").data == b"\x02"
    assert session.ask(6, 0x41, b"\x01\x40").completion == 0xD4


def sealed(console, message, trailer):
    """Give an authentic packet of a message with this padding before its integrity code."""
    console.sequence += 1
    packet = Packet(
        payload=console.keys.encrypt(message, bytes(16)),
        session=console.session,
        sequence=console.sequence,
        protected=True,
    )
    octets = packet_octets(packet) + trailer
    return b"\x06\x00\xff\x07" + octets + console.keys.integrity_code(octets)


def test_what_is_authentic_has_to_be_well_formed_and_for_the_manager(session, endpoint):
    message = Request(responder=0x20, requester=0x81, net_fn=6, command=1, sequence=1).encode()
    elsewhere = Request(responder=0x84, requester=0x81, net_fn=6, command=1, sequence=1).encode()
    assert len(session.send(sealed(session, message, b"\xff\xff\x02\x07"))) == 1
    assert session.send(sealed(session, message, b"\xff\xff\x01\x07")) == []
    assert endpoint.faults == {LanFault.BAD_INTEGRITY: 1}
    assert session.send(sealed(session, elsewhere, b"\xff\xff\x02\x07")) == []
    assert endpoint.faults == {LanFault.BAD_INTEGRITY: 1, LanFault.BAD_MESSAGE: 1}
