"""What RTSP requests mean: a player's session from its first request to its last, and what is refused with what."""

import random

import pytest

from blade_agent.main_board.rtsp.desk import (
    SESSIONS_OF_A_HOST_MAX,
    TIMEOUT_S,
    AskProgram,
    EndSession,
    Halted,
    PauseStream,
    Playing,
    PlayStream,
    RtspDesk,
)
from blade_agent.main_board.rtsp.message import RtspRequest, RtspResponse, RtspStatus
from media_network.address import Address
from media_network.messages.streaming import Described
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import program_of

OWN, SOURCE, HOST = "127.0.0.2:8554", Address("127.0.0.200", 5004), "127.0.0.9"
URI = "rtsp://127.0.0.2:8554/programs/film"
HEADER = program_of().header
DESCRIBED = Described(program=HEADER)
UDP = "RTP/AVP;unicast;client_port=6000-6001"
GOING = Playing(0, 1, 65_000, 7)


class Player:
    """Speaks to a desk; what is ordered is answered as the test says."""

    def __init__(self, desk=None, host=HOST, connection=1):
        self.desk = desk or RtspDesk(OWN, SOURCE, random.Random(1))
        self.host, self.connection, self.now, self.numbers = host, connection, 0.0, iter(range(1, 10_000))
        self.order = None

    def say(self, method, answer=None, uri=URI, body=b"", **headers):
        headers = {"cseq": str(next(self.numbers)), **{name.replace("_", "-"): text for name, text in headers.items()}}
        request = RtspRequest(method=method, uri=uri, headers=headers, body=body)
        step = self.desk.hear(self.connection, self.host, request, self.now)
        self.order = None if isinstance(step, RtspResponse) else step
        return self.desk.answer(step, answer, self.now) if self.order else step

    def set_up(self, transport=UDP):
        response = self.say("SETUP", DESCRIBED, uri=f"{URI}/stream", transport=transport)
        assert response.status is RtspStatus.OK
        return response.headers["Session"]


def test_a_player_describes_sets_up_plays_pauses_and_tears_down():
    player = Player()
    assert "PLAY" in player.say("OPTIONS").headers["Public"]
    described = player.say("DESCRIBE", DESCRIBED)
    assert player.order.asked == ("film", None)
    assert described.headers["Content-Base"] == f"{URI}/"
    lines = described.body.decode().split("\r\n")
    assert "m=video 0 RTP/AVP 33" in lines
    assert "a=rtpmap:33 MP2T/90000" in lines
    assert "a=control:stream" in lines
    session = player.set_up()
    assert session.endswith(f";timeout={TIMEOUT_S}")
    played = player.say("PLAY", GOING, session=session, range="npt=3-")
    assert isinstance(player.order, PlayStream)
    assert (player.order.at_ms, player.order.scale) == (3000, None)
    assert played.headers["RTP-Info"] == f"url={URI}/stream;seq=65000;rtptime=7"
    assert (played.headers["Range"], played.headers["Scale"]) == ("npt=0.000-", "1.0")
    assert player.say("PAUSE", Halted(5000), session=session).headers["Range"] == "npt=5.000-"
    assert isinstance(player.order, PauseStream)
    assert player.say("PAUSE", session=session).status is RtspStatus.OK, "it is paused"
    assert player.order is None
    assert player.say("TEARDOWN", session=session).status is RtspStatus.OK
    assert player.say("PLAY", session=session).status is RtspStatus.SESSION_NOT_FOUND


def test_the_transport_that_is_agreed_on_says_where_the_stream_comes_from():
    player = Player()
    response = player.say("SETUP", DESCRIBED, transport=UDP)
    expected = "RTP/AVP;unicast;client_port=6000-6001;source=127.0.0.200;server_port=5004-5005"
    assert response.headers["Transport"] == expected
    response = player.say("SETUP", DESCRIBED, transport="RTP/AVP/TCP;interleaved=4-5")
    assert response.headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=4-5"


def test_who_asks_a_blade_that_another_should_answer_for_is_sent_there_with_its_token():
    player = Player()
    elsewhere = Described(program=HEADER, rtsp="127.0.0.3:8554")
    response = player.say("DESCRIBE", elsewhere, uri=f"{URI}?URISigningPackage=a.b.c")
    assert player.order.asked.token == "a.b.c"
    assert response.status is RtspStatus.MOVED_TEMPORARILY
    assert response.headers["Location"] == "rtsp://127.0.0.3:8554/programs/film?URISigningPackage=a.b.c"
    # No player follows a redirect of SETUP: who asks for it here is served here.
    assert player.say("SETUP", elsewhere, transport=UDP).status is RtspStatus.OK


def test_a_token_that_was_shown_once_is_good_for_what_follows_over_the_connection():
    player = Player()
    player.say("DESCRIBE", DESCRIBED, authorization="Bearer a.b.c")
    player.set_up()
    assert player.order.asked.token == "a.b.c"
    other = Player(player.desk, connection=2)
    other.set_up()
    assert other.order.asked.token is None


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.UNKNOWN_PROGRAM, 404),
        (Reason.NOT_PUBLISHED, 403),
        (Reason.NO_TOKEN, 401),
        (Reason.WRONG_PROGRAM, 403),
        (Reason.NO_ENGINE, 503),
        (Reason.OVERDUE, 503),
    ],
)
def test_a_refusal_has_the_status_that_players_know(reason, status):
    for method in ("DESCRIBE", "SETUP"):
        assert Player().say(method, Refused(reason), transport=UDP).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"range": "npt=5-5"}, 457),
        ({"range": "npt=x"}, 400),
        ({"range": "smpte=0:10:00-"}, 501),
        ({"scale": "fast"}, 400),
    ],
)
def test_a_range_or_speed_that_is_none_is_refused(headers, status):
    player = Player()
    session = player.set_up()
    assert player.say("PLAY", session=session, **headers).status == status
    assert player.order is None


def test_what_lies_past_the_end_is_no_range_and_who_is_full_has_no_bandwidth():
    player = Player()
    session = player.set_up()
    assert player.say("PLAY", Refused(Reason.NO_SUCH_RANGE), session=session, range="npt=900-").status == 457
    assert player.say("PLAY", Refused(Reason.AT_CAPACITY), session=session).status == 453


def test_a_speed_that_there_is_not_is_answered_with_the_one_that_is_used():
    player = Player()
    session = player.set_up()
    answer = player.say("PLAY", Playing(0, 4, 1, 1), session=session, scale="3.3")
    assert player.order.scale == 3.3
    assert answer.headers["Scale"] == "4.0"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("RECORD", {}, 501),
        ("OPTIONS", {"require": "x.y"}, 551),
        ("PLAY", {}, 454),
        ("PAUSE", {"session": "1"}, 454),
        ("TEARDOWN", {}, 454),
        ("GET_PARAMETER", {"session": "1"}, 454),
        ("SETUP", {}, 461),
        ("SETUP", {"transport": "RTP/AVP;multicast;port=1-2"}, 461),
        ("SETUP", {"transport": f"{UDP};destination=192.0.2.7"}, 403),
    ],
)
def test_what_cannot_be_done_is_refused_as_the_rfc_says(method, headers, status):
    assert Player().say(method, **headers).status == status


def test_a_request_without_a_number_or_for_nothing_is_refused():
    desk = RtspDesk(OWN, SOURCE, random.Random(1))
    assert desk.hear(1, HOST, RtspRequest(method="OPTIONS", uri="*"), 0.0).status == 400
    assert Player(desk).say("DESCRIBE", uri="rtsp://127.0.0.2/other").status == 404
    assert Player(desk).say("GET_PARAMETER", body=b"position\r\n").status == 451
    assert Player(desk).say("GET_PARAMETER").status == 200


def test_streams_go_elsewhere_only_where_that_is_allowed():
    desk = RtspDesk(OWN, SOURCE, random.Random(1), elsewhere=True)
    response = Player(desk).say("SETUP", DESCRIBED, transport=f"{UDP};destination=192.0.2.7")
    assert "destination=192.0.2.7" in response.headers["Transport"]


def test_a_session_is_its_hosts_and_no_host_has_too_many():
    player = Player()
    session = player.set_up()
    stranger = Player(player.desk, host="127.0.0.66")
    assert stranger.say("TEARDOWN", session=session).status is RtspStatus.SESSION_NOT_FOUND
    for _ in range(SESSIONS_OF_A_HOST_MAX - 1):
        player.set_up()
    assert player.say("SETUP", DESCRIBED, transport=UDP).status is RtspStatus.NOT_ENOUGH_BANDWIDTH
    assert stranger.say("SETUP", DESCRIBED, transport=UDP).status is RtspStatus.OK


def test_a_player_that_is_silent_is_over_and_whatever_is_heard_of_it_counts():
    player = Player()
    session, other = player.set_up(), player.set_up()
    player.now = TIMEOUT_S
    player.say("GET_PARAMETER", session=session)
    player.desk.heard(other.partition(";")[0], 30.0)
    assert player.desk.over(TIMEOUT_S + 1) == []
    assert [one.name for one in player.desk.over(30.0 + TIMEOUT_S + 1)] == [other.partition(";")[0]]
    assert len(player.desk.over(3 * TIMEOUT_S)) == 2


def test_with_its_connection_a_session_ends_whose_stream_goes_over_it_and_no_other():
    player = Player()
    player.set_up()
    between = player.set_up("RTP/AVP/TCP;interleaved=0-1")
    assert [one.name for one in player.desk.lost(1)] == [between.partition(";")[0]]


def test_a_second_transport_is_agreed_on_before_it_plays_and_not_later():
    player = Player()
    session = player.set_up()
    again = player.say("SETUP", DESCRIBED, session=session, transport="RTP/AVP/TCP;interleaved=0-1")
    assert again.headers["Session"] == session
    player.say("PLAY", GOING, session=session)
    refused = player.say("SETUP", DESCRIBED, session=session, transport=UDP)
    assert refused.status is RtspStatus.METHOD_NOT_VALID_IN_THIS_STATE


def test_where_a_stream_goes_that_has_begun_cannot_be_changed_and_may_be_said_again():
    player = Player()
    session = player.set_up()
    player.say("PLAY", GOING, session=session)
    player.say("PAUSE", Halted(0), session=session)
    elsewhere = player.say("SETUP", DESCRIBED, session=session, transport="RTP/AVP;unicast;client_port=7000-7001")
    assert elsewhere.status is RtspStatus.METHOD_NOT_VALID_IN_THIS_STATE
    assert player.say("SETUP", DESCRIBED, session=session, transport=UDP).status is RtspStatus.OK


def test_the_sessions_of_a_connection_are_those_that_were_set_up_over_it_last():
    player = Player()
    session = player.set_up()
    other = Player(player.desk, connection=2)
    assert other.say("SETUP", DESCRIBED, session=session, transport=UDP).status is RtspStatus.OK
    name = session.partition(";")[0]
    assert [[one.name for one in player.desk.of_connection(number)] for number in (1, 2)] == [[], [name]]
    other.say("TEARDOWN", None, session=session)
    assert player.desk.of_connection(2) == ()


def test_every_order_is_answered():
    player = Player()
    session = player.set_up()
    assert isinstance(player.order, AskProgram)
    assert player.say("PLAY", None, session=session).status is RtspStatus.INTERNAL_SERVER_ERROR
    assert player.say("TEARDOWN", None, session=session).status is RtspStatus.OK
    assert isinstance(player.order, EndSession)
