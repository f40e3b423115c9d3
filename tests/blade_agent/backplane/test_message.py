import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.backplane.message import (
    MAX_DATA_BYTES,
    BadMessage,
    MessageFault,
    Request,
    Response,
    checksum,
    decode,
)

octet = st.integers(0, 255)
address = {"responder": octet, "requester": octet}
common = {
    **address,
    "command": octet,
    "sequence": st.integers(0, 63),
    "data": st.binary(max_size=MAX_DATA_BYTES),
    "responder_lun": st.integers(0, 3),
    "requester_lun": st.integers(0, 3),
}
requests = st.builds(Request, net_fn=st.integers(0, 31).map(lambda half: 2 * half), **common)
responses = st.builds(Response, net_fn=st.integers(0, 31).map(lambda half: 2 * half + 1), completion=octet, **common)


@settings(deadline=None)
@given(st.one_of(requests, responses))
def test_a_message_comes_out_as_it_went_in(message):
    assert decode(message.encode()) == message


@settings(deadline=None)
@given(requests, octet, st.binary(max_size=20))
def test_a_response_goes_back_to_who_asked(request, completion, data):
    response = decode(request.respond(completion, data).encode())
    assert response == request.respond(completion, data)
    assert (response.requester, response.responder) == (request.requester, request.responder)
    assert (response.sequence, response.command, response.net_fn) == (
        request.sequence,
        request.command,
        request.net_fn + 1,
    )


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_octets_and_their_checksum_add_up_to_nothing(octets):
    assert (sum(octets) + checksum(octets)) % 256 == 0


@settings(deadline=None)
@given(st.one_of(requests, responses), st.data())
def test_one_changed_octet_is_always_found(message, data):
    octets = bytearray(message.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadMessage):
        decode(bytes(octets))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_are_a_message_or_a_named_fault(octets):
    try:
        message = decode(octets)
    except BadMessage:
        return
    assert message.encode() == octets


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"", MessageFault.TOO_SHORT),
        (bytes(6), MessageFault.TOO_SHORT),
        (bytes(7 + 2 + MAX_DATA_BYTES), MessageFault.TOO_LONG),
        (bytes.fromhex("20 18 00 81 04 01 7a"), MessageFault.HEADER_CHECKSUM),
        (bytes.fromhex("20 18 c8 81 04 01 00"), MessageFault.BODY_CHECKSUM),
        (bytes.fromhex("81 1c 63 20 04 01 db"), MessageFault.TOO_SHORT),  # a response without its completion code
    ],
)
def test_each_fault_has_its_name(octets, fault):
    with pytest.raises(BadMessage) as caught:
        decode(octets)
    assert caught.value.fault is fault


def test_the_request_of_ipmitool_for_the_device_id():
    request = decode(bytes.fromhex("20 18 c8 81 04 01 7a"))
    assert request == Request(responder=0x20, requester=0x81, net_fn=6, command=1, sequence=1)
