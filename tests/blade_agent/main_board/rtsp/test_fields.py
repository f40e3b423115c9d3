"""What stands in the headers of RTSP requests."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.rtsp.fields import (
    Asked,
    BadField,
    NptRange,
    RtspTransport,
    UnknownUnit,
    asked_of,
    bearer,
    npt,
    range_of,
    scale_of,
    transport_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RTP/AVP;unicast;client_port=4588-4589", RtspTransport(ports=(4588, 4589))),
        ("RTP/AVP/UDP;unicast;client_port=4588", RtspTransport(ports=(4588, 4589))),
        ('RTP/AVP;client_port=4588-4589;mode="PLAY"', RtspTransport(ports=(4588, 4589))),
        ("RTP/AVP;multicast;ttl=9,RTP/AVP/TCP;interleaved=2-3", RtspTransport(ports=None, channels=(2, 3))),
        ("RTP/AVP/TCP;unicast", RtspTransport(ports=None, channels=(0, 1))),
        (
            "RTP/AVP;unicast;destination=192.0.2.9;client_port=10-11",
            RtspTransport(ports=(10, 11), destination="192.0.2.9"),
        ),
        ("RTP/AVP;unicast;client_port=4588-4600", None),
        ("RTP/AVP;unicast;client_port=0-1", None),
        ("RTP/AVP;unicast;client_port=65535", None),
        ("RTP/AVP;unicast", None),
        ("RTP/AVP;multicast;client_port=4588-4589", None),
        ("RTP/AVP;client_port=4588-4589;mode=RECORD", None),
        ("RTP/SAVP;client_port=4588-4589", None),
        ("RTP/AVP/TCP;interleaved=255-256", None),
        ("", None),
    ],
)
def test_the_first_transport_that_can_be_had_is_taken(text, expected):
    assert transport_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npt=10-20.5", NptRange(10_000, 20_500)),
        ("npt=0.000-", NptRange(0, None)),
        ("npt=now-", NptRange(None, None)),
        ("npt=00:01:02.25-", NptRange(62_250, None)),
        ("npt=1.-3;time=19970123T143720Z", NptRange(1000, 3000)),
    ],
)
def test_a_range_is_a_part_of_the_program(text, expected):
    assert range_of(text) == expected


@pytest.mark.parametrize("text", ["npt", "npt=", "npt=-", "npt=-20", "npt=1:2-3", "npt=a-", "npt=1e9-", "npt=1 2-"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(BadField):
        range_of(text)


@pytest.mark.parametrize("text", ["smpte=0:00:20-", "clock=19961108T142300Z-", "bytes=0-", ""])
def test_other_units_are_not_known(text):
    with pytest.raises(UnknownUnit):
        range_of(text)


@given(st.text(max_size=60))
def test_whatever_is_said_is_understood_or_refused(text):
    transport_of(text)
    asked_of(text)
    bearer(text)
    for reader in (range_of, scale_of):
        with suppress(BadField, UnknownUnit):
            reader(text)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("rtsp://h:8554/programs/film", Asked("film", None)),
        ("rtsp://h:8554/programs/film/", Asked("film", None)),
        ("rtsp://h:8554/programs/film/stream?URISigningPackage=a.b", Asked("film", "a.b")),
        ("/programs/film", Asked("film", None)),
        ("rtsp://h/programs/Film", None),
        ("rtsp://h/programs/film/other", None),
        ("rtsp://h/programs/" + "a" * 65, None),
        ("rtsp://h/programs/film/../x", None),
        ("*", None),
        ("rtsp://[", None),
    ],
)
def test_an_address_names_a_program(uri, expected):
    assert asked_of(uri) == expected


def test_a_speed_is_a_number():
    assert [scale_of(text) for text in ("2", "-2.5", "+1.0")] == [2.0, -2.5, 1.0]
    for text in ("fast", "1e3", "nan", "", "2x"):
        with pytest.raises(BadField):
            scale_of(text)


def test_times_are_answered_in_seconds():
    assert npt(1500) == "npt=1.500-"
