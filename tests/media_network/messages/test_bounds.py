"""What a message may weigh, beside the largest that anybody has to say."""

import msgspec
import pytest

from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.message_pages import first_page
from media_network.messages.content import DISTRIBUTE, STATIONS_TOLD_MAX, Distribute, ProgramRow, ProgramState
from media_network.messages.enlisting import ENLIST, REPORT, Enlist, Report, Reported, RunningStream, TurnPhase
from media_network.messages.obtaining import OBTAIN, Obtain
from media_network.messages.program_information import ASK_CHANGES, Changes, ProgramChange
from media_network.messages.registry import (
    ADD_LOCATIONS,
    LIST_STATIONS,
    REPORT_LOCATIONS,
    STATIONS_SHOWN_MAX,
    AddLocations,
    ReportLocations,
    StationRow,
    Stations,
)
from media_network.messages.sources import (
    ASK_EXPLANATION,
    ASK_SOURCES,
    SOURCES_MAX,
    CostTerms,
    CostWeights,
    Explanation,
    PricedSource,
    Source,
    Sources,
)
from media_network.messages.streaming import NEXT_SEGMENT, PLAY, NextSegment, Redirect, StreamCursor
from media_network.messages.watching import (
    LIST_SESSIONS,
    SESSIONS_SHOWN_MAX,
    TURNS_TOLD_MAX,
    WATCHING,
    Jump,
    PresentTurn,
    ProgramPoint,
    Served,
    Sessions,
    SessionState,
    SessionView,
    StreamView,
)
from media_network.program_header import (
    Attachment,
    AttachmentKind,
    Picture,
    Rendition,
    Role,
    StreamKind,
    StreamOrigin,
    Track,
    TrackKind,
)
from media_network.segment_set import format_segments
from tests.programs import empty_segments, program_with
from tests.verbs import VERBS

ASKING = ("Ask", "List", "Locate")

SEGMENTS, STREAMS, STATIONS = 999_999, 8192, 10_000
DIGEST = "0" * 64
NAME, ADDRESS, SESSION = "p" * 64, "255.255.255.255:65535", "0" * 24


def program():
    """With all that a header may say; a few of each say how much that is."""
    rendition = Rendition(
        number=16,
        kind=TrackKind.AUDIO,
        codec="c" * 40,
        language="l" * 35,
        role=Role.DESCRIPTION,
        channels=64,
        rate_bps=10**12,
        length_bytes=2**60,
        table="0" * 64,
    )
    attachment = Attachment(
        kind=AttachmentKind.KEY_PICTURES, media_type="m" * 100, length_bytes=1 << 20, sha256="0" * 64, language="l" * 35
    )
    track = Track(kind=TrackKind.VIDEO, codec="c" * 40, language="l" * 35, role=Role.DESCRIPTION, channels=64)
    origin = StreamOrigin(kind=StreamKind.VIDEO, codec="c" * 40, encoded_because=("r" * 200,) * 4)
    return program_with(
        empty_segments(3),
        program=NAME,
        version=2**53,
        changed_at_ms=2**53 - 1,
        title="t" * 200,
        rate_bps=5_000_000,
        picture=Picture(width=65_535, height=65_535, frame_rate=(2**31 - 1, 2**31 - 1)),
        tracks=(track,) * 16,
        renditions=(rendition,) * 16,
        attachments=(attachment,) * 16,
        film_bytes=2**60,
        streams=(origin,) * 2,
        warnings=("w" * 200,) * 4,
    )


def cursor():
    return StreamCursor(session=SESSION, turn=1 << 24, segment=SEGMENTS, packet=7000, reach=7100, tick_us=40_000)


def running():
    return RunningStream(
        cursor=cursor(), phase=TurnPhase.HANDING_OVER, program=NAME, table=DIGEST, console=ADDRESS, first_packet=7000
    )


def page():
    """Of the longest programs, of which every other segment is held: a page has one of them, of usual ones many."""
    cuts = [Cut(f"{number:064}", DIGEST) for number in range(1000)]
    assert len(page_of(cuts, lambda _: [range(0, 7200, 2)]).holdings) > 20
    holdings = page_of(cuts, lambda _: [range(0, SEGMENTS, 2)])
    assert (len(holdings.holdings), holdings.more) == (1, True)
    return holdings


def requests():
    every_other = format_segments(range(0, SEGMENTS, 2))
    yield OBTAIN, Obtain(header=program().header, parts=ADDRESS, source_station=NAME, source_director=ADDRESS)
    yield REPORT, Report(engine=ADDRESS, boot="0" * 16, epoch=1 << 20, streams=(cursor(),) * STREAMS)
    yield (
        ENLIST,
        Enlist(
            slot=32,
            engine=ADDRESS,
            media=ADDRESS,
            boot="0" * 16,
            epoch=1 << 20,
            capacity_bps=10**10,
            holdings=page(),
            streams=(running(),) * STREAMS,
        ),
    )
    yield (
        ADD_LOCATIONS,
        AddLocations(station=NAME, epoch=1, generation=1, program=NAME, table=DIGEST, segments=every_other),
    )
    yield REPORT_LOCATIONS, ReportLocations(station=NAME, epoch=1, generation=1, holdings=page().holdings)
    yield DISTRIBUTE, Distribute(program=NAME, stations=(NAME,) * STATIONS)
    yield NEXT_SEGMENT, NextSegment(session=SESSION, turn=1, segment=1, failed=(ADDRESS,) * 62, doubtful=ADDRESS)


def replies():
    header = program().header
    change = ProgramChange(version=1 << 53, program=NAME, header=header)
    page, _ = first_page([change] * 1000)
    played = Redirect(
        session=SESSION,
        turn=1,
        engine=ADDRESS,
        ticket="t" * 99,
        program=header,
        first=program().segments[0],
        report_interval_ms=2000,
    )
    place = ProgramPoint(segment=SEGMENTS, packet=7000, packets=SEGMENTS * 7000, at_ms=SEGMENTS * 10_000)
    jump = Jump(left=place, begins=place)
    turn = Served(turn=1 << 40, segment=program().segments[-1], packet=7000, engine=ADDRESS, jump=jump)
    watched = StreamView(
        session=SESSION,
        state=SessionState.STREAMING,
        engine=ADDRESS,
        served=(turn,) * TURNS_TOLD_MAX,
        more=True,
        missing=100,
    )
    session = SessionView(
        session=SESSION,
        program=NAME,
        state=SessionState.REDIRECTED,
        engine=ADDRESS,
        present=PresentTurn(turn=1 << 40, segment=SEGMENTS, packet=7000),
        turns=SEGMENTS,
    )
    row = StationRow(
        station="s" * 64,
        director=ADDRESS,
        media=ADDRESS,
        epoch=1,
        engines=15,
        programs=10_000,
        home=True,
        silent_ms=100,
    )
    yield PLAY, played
    yield WATCHING, watched
    yield LIST_SESSIONS, Sessions((session,) * SESSIONS_SHOWN_MAX, more=True)
    yield REPORT, Reported(revoked=(cursor(),) * STREAMS)
    yield ASK_CHANGES, Changes(changes=tuple(page), until=1 << 53, more=True, now_ms=2**53 - 1)
    yield LIST_STATIONS, Stations((row,) * STATIONS_SHOWN_MAX, more=True)
    source = Source(
        station="s" * 32,
        director=ADDRESS,
        zone="z" * 32,
        distance_km=12345.678901234567,
        home=True,
        load=0.12345678901234567,
        free_bps=10**12,
        segments=SEGMENTS,
        silent_ms=10**11,
        stale=True,
    )
    terms = CostTerms(**dict.fromkeys(CostTerms.__struct_fields__, 12345.678901234567))
    priced = PricedSource(
        source=source, measured_bps=10**12, copying_s=1e18 / 3, terms=terms, cost=12345.678901234567, resting=True
    )
    yield ASK_SOURCES, Sources(sources=(source,) * SOURCES_MAX, parts=ADDRESS)
    yield (
        ASK_EXPLANATION,
        Explanation(
            station="s" * 32,
            program=NAME,
            segment=SEGMENTS,
            length_bytes=10**12,
            engines=15,
            sources=(priced,) * SOURCES_MAX,
            weights=CostWeights(),
            said_ms=10**11,
            registry_away=True,
        ),
    )
    yield (
        DISTRIBUTE,
        ProgramRow(
            program=NAME,
            title=NAME,
            state=ProgramState.PUBLISHED,
            sha256="0" * 64,
            segments=SEGMENTS,
            bytes=10**12,
            duration_ms=10**9,
            stations={f"{number:064}": SEGMENTS for number in range(STATIONS_TOLD_MAX)},
            holding=STATIONS,
            whole=STATIONS,
            to_be_carried_out=(NAME,) * STATIONS_TOLD_MAX,
            obstacles={f"{number:064}": "o" * 400 for number in range(STATIONS_TOLD_MAX)},
            streams=header.streams,
            warnings=header.warnings,
        ),
    )


@pytest.mark.parametrize(("verb", "request_said"), list(requests()), ids=lambda each: getattr(each, "path", ""))
def test_the_largest_request_is_within_its_bound(verb, request_said):
    assert verb.request_bytes_max / 20 < len(msgspec.json.encode(request_said)) <= verb.request_bytes_max


@pytest.mark.parametrize(("verb", "reply"), list(replies()), ids=lambda each: getattr(each, "path", ""))
def test_the_largest_answer_is_within_its_bound(verb, reply):
    assert verb.reply_bytes_max / 20 < len(msgspec.json.encode(reply)) <= verb.reply_bytes_max


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb.request.__name__.startswith(ASKING)], ids=lambda verb: verb.path
)
def test_what_is_only_asked_is_kept_for_nobody(verb):
    assert verb.reads
