import pytest

from blade_agent.backplane.message import Request, Response
from blade_agent.chassis_manager.lan.bridge import MAX_BRIDGED, Bridged
from blade_agent.chassis_manager.lan.privileges import needed_privilege
from blade_agent.chassis_manager.lan.users import Privilege

SEND_MESSAGE = (6, 0x34)


def inner(to=0x84, net_fn=6, command=1, data=b"", sequence=1):
    return Request(responder=to, requester=0x20, net_fn=net_fn, command=command, sequence=sequence, data=data)


def carried(request):
    return b"\x40" + request.encode()


@pytest.fixture
def session(console):
    assert console.log_in() == 0
    console.ask(6, 0x3B, b"\4")
    return console


def bridge(console, request):
    """Send a request inside Send Message; give what is to be passed on."""
    (bridged,) = console.send(console.packet(*SEND_MESSAGE, carried(request)))
    assert isinstance(bridged, Bridged)
    return bridged


def test_the_answer_comes_back_in_two_messages(session, endpoint):
    bridged = bridge(session, inner(sequence=33))
    assert (bridged.slot, bridged.request) == (2, inner(sequence=33))
    (sent,) = endpoint.passed_on(bridged, taken=True)
    assert session.read(sent.octets) == bridged.carrier.respond(0)
    (answer,) = endpoint.answered(bridged, inner().respond(0, b"\x21data"))
    assert session.read(answer.octets) == Response(
        requester=0x81, responder=0x84, net_fn=7, command=1, sequence=33, completion=0, data=b"\x21data"
    )


def test_no_blade_and_no_answer_are_told_apart(session, endpoint):
    bridged = bridge(session, inner())
    (refused,) = endpoint.passed_on(bridged, taken=False)
    assert session.read(refused.octets).completion == 0x83
    bridged = bridge(session, inner())
    (answer,) = endpoint.answered(bridged, None)
    assert session.read(answer.octets).completion == 0xC3


def test_a_repeated_request_is_passed_on_once_while_it_is_under_way(session, endpoint):
    bridged = bridge(session, inner())
    assert session.ask(*SEND_MESSAGE, carried(inner())).completion == 0
    endpoint.answered(bridged, None)
    bridge(session, inner())


def test_requests_under_way_are_bounded(session):
    for sequence in range(MAX_BRIDGED):
        bridge(session, inner(sequence=sequence))
    assert session.ask(*SEND_MESSAGE, carried(inner(sequence=60))).completion == 0xC0


def test_an_answer_to_a_session_that_is_gone_goes_nowhere(session, endpoint):
    bridged = bridge(session, inner())
    session.ask(6, 0x3C, session.session.to_bytes(4, "little"))
    assert endpoint.passed_on(bridged, taken=True) == endpoint.answered(bridged, None) == []


@pytest.mark.parametrize(
    ("data", "completion"),
    [
        (b"", 0xC7),
        (b"\x40", 0xCC),
        (b"\x00" + inner().encode(), 0xCC),
        (b"\x41" + inner().encode(), 0xCC),
        (carried(inner())[:-1] + b"\0", 0xCC),
        (b"\x40" + inner().respond(0).encode(), 0xCC),
        (carried(inner(to=0x20)), 0x83),
        (carried(inner(to=0x85)), 0x83),
    ],
)
def test_what_cannot_be_passed_on(session, data, completion):
    assert session.ask(*SEND_MESSAGE, data).completion == completion


def test_the_users_privilege_counts_for_what_is_inside(make_console):
    watch = make_console()
    watch.log_in(b"watch", b"only looking", 0x12)
    bridge(watch, inner())
    activate = inner(net_fn=0x2C, command=0x0C, data=b"\0\0\1")
    commit_role = inner(net_fn=0x2E, command=0x14, data=b"\x88\x1f\0" + bytes(13))
    assert watch.ask(*SEND_MESSAGE, carried(activate)).completion == 0xD4
    night = make_console(host="10.0.0.30")
    night.log_in(b"night", b"third shift", 0x13)
    assert night.ask(*SEND_MESSAGE, carried(activate)).completion == 0xD4
    night.ask(6, 0x3B, b"\3")
    bridge(night, activate)
    assert night.ask(*SEND_MESSAGE, carried(commit_role)).completion == 0xD4


def test_what_is_not_known_is_not_there_but_for_an_administrator(make_console):
    unknown = inner(net_fn=0x30, command=1)
    watch = make_console()
    watch.log_in(b"watch", b"only looking", 0x12)
    assert watch.ask(*SEND_MESSAGE, carried(unknown)).completion == 0xC1
    root = make_console(host="10.0.0.31")
    root.log_in()
    assert root.ask(6, 0x3B, b"\4").completion == 0
    bridge(root, unknown)


def test_every_known_command_takes_a_privilege():
    assert needed_privilege(inner(net_fn=0x30, command=1)) is None
    assert needed_privilege(inner(net_fn=0x2C, command=0, data=b"\x03")) is None
    assert needed_privilege(inner(net_fn=0x2C, command=0, data=b"\0")) is Privilege.USER
    assert needed_privilege(inner(net_fn=6, command=2)) is Privilege.ADMINISTRATOR
