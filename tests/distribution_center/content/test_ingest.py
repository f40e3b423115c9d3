"""Ingest, with films rendered here and somebody else's, judged by ffmpeg and GStreamer."""

import asyncio
import json
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import msgspec
import psutil
import pytest

from distribution_center.content.errors import (
    DamagedSource,
    DiskFull,
    EmptySource,
    IngestCrashed,
    IngestError,
    NotAFile,
    NotMedia,
    NoVideo,
    TruncatedSource,
    UnreadableSource,
)
from distribution_center.content.ingest import ingest
from distribution_center.content.ingest_process import program_id
from distribution_center.content.spool import DOWNLOADS, clear_spool
from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program, joined
from media_network.program_header import ProgramHeader
from media_network.segment_index import index_of, parse_index
from media_network.segment_table import Segment
from media_network.transport_stream import CLOCK_HZ, Packets, presentation_time
from tests.clips import real_clip, render
from tests.distribution_center.content.ingested import ingested

VIDEO_PID, AUDIO_PID, NULL_PID = 0x100, 0x101, 0x1FFF
MAP_PID = 0x1000
SOUND_BLOCK_MS = 24


def take_in(
    source: Path, spool: Path, title: str = "a film", segment_ms: int = 2000, longest_segment_ms: int = 12_000
) -> Program:
    fractions: list[float] = []
    lengths = {"segment_ms": segment_ms, "longest_segment_ms": longest_segment_ms}
    program, _ = ingested(source, spool, title=title, on_progress=fractions.append, **lengths)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [path.name for path in spool.iterdir()] == [program.name]
    return program


def segments_of(program: Program, spool: Path) -> list[bytes]:
    folder = spool / program.name
    names = [f"{segment.number}.{kind}" for segment in program.segments for kind in ("ts", "index")]
    assert {path.name for path in folder.iterdir()} == set(names)
    contents = [(folder / f"{segment.number}.ts").read_bytes() for segment in program.segments]
    for segment, content in zip(program.segments, contents, strict=True):
        check_index(segment, content, (folder / f"{segment.number}.index").read_bytes())
    return contents


def check_index(segment: Segment, content: bytes, octets: bytes) -> None:
    """The index is the one that the table names, of these very bytes, and knows the picture that a segment begins
    with."""
    assert sha256(octets).hexdigest() == segment.index
    index = parse_index(
        octets, packets=segment.packets, ticks=segment.duration_ticks, length_bytes=segment.length_bytes
    )
    assert index == index_of([content], index.key_pictures)
    first = index.key_pictures[0]
    assert (first.ticks, first.idr) == (0, True)
    begun = content[first.first_packet * TS_PACKET_BYTES :][:TS_PACKET_BYTES]
    assert begun[1] & 0x40, "a payload unit starts there"


def picture_hashes(film: Path) -> list[str]:
    """Hashes of all decoded pictures, by ffmpeg, which stops at the first error."""
    command = ["ffmpeg", "-xerror", "-v", "error", "-i", film, "-map", "0:v:0", "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "framehash", "-"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.rpartition(",")[2].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def check_program(program: Program, spool: Path, tmp_path: Path) -> list[str]:
    """What must be true of every program; the hashes of its pictures."""
    parts = segments_of(program, spool)
    whole = b"".join(parts)
    assert sha256(whole).hexdigest() == program.header.sha256
    for segment, part in zip(program.segments, parts, strict=True):
        assert (len(part), sha256(part).hexdigest()) == (segment.length_bytes, segment.sha256)
        check_beginning(part)
    header = msgspec.json.decode(msgspec.json.encode(program.header), type=ProgramHeader)
    assert joined(header, program.segments.octets) == program
    check_continuity(whole)
    check_delivery(whole, program.rate_bps)
    (tmp_path / "whole.ts").write_bytes(whole)
    pictures = picture_hashes(tmp_path / "whole.ts")
    alone: list[str] = []
    for part in parts:
        (tmp_path / "part.ts").write_bytes(part)
        alone += picture_hashes(tmp_path / "part.ts")
    assert alone == pictures
    return pictures


def packets_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    for place in range(0, len(data), TS_PACKET_BYTES):
        yield int.from_bytes(data[place + 1 : place + 3], "big") & 0x1FFF, data[place : place + TS_PACKET_BYTES]


def check_beginning(part: bytes) -> None:
    """PAT, PMT, then the video's random access point; only null packets, the SDT and bare clock references between."""
    row = []
    for pid, packet in packets_of(part):
        if pid in {NULL_PID, 0x11} or not packet[3] & 0x10:
            continue
        row.append(pid)
        if pid == VIDEO_PID:
            assert packet[1] & 0x40, "a picture begins"
            assert packet[3] & 0x20, "with an adaptation field"
            assert packet[5] & 0x40, "with the random access indicator"
            break
    assert row == [0, MAP_PID, VIDEO_PID]


def check_continuity(whole: bytes) -> None:
    counters: dict[int, int] = {}
    for pid, packet in packets_of(whole):
        if pid != NULL_PID:
            counter = packet[3] & 0xF
            step = 1 if packet[3] & 0x10 else 0
            assert counter == (counters.get(pid, counter - step) + step) & 0xF
            counters[pid] = counter


def check_delivery(whole: bytes, rate_bps: int) -> None:
    """The rate is constant, clock references come often, and everything is there when it is due."""
    packets = Packets(whole)
    clocks = list(packets.clock_references())
    ticks_a_packet = TS_PACKET_BYTES * 8 * CLOCK_HZ / rate_bps
    zero = clocks[0][1] - clocks[0][0] * ticks_a_packet
    assert all(abs(zero + index * ticks_a_packet - clock) < 2 for index, clock in clocks)
    assert all(after - before < CLOCK_HZ * 0.1 for (_, before), (_, after) in pairwise(clocks))
    due: dict[int, int] = {}
    for index in range(packets.count):
        pid = packets.pid(index)
        if pid in {VIDEO_PID, AUDIO_PID} and packets.payload(index):
            if packets.data[index * TS_PACKET_BYTES + 1] & 0x40:
                due[pid] = due_time(packets.payload(index))
            assert zero + (index + 1) * ticks_a_packet <= due[pid] * 300


def due_time(unit: bytes) -> int:
    """Decoding time stamp if there is one, else the presentation time stamp."""
    if unit[7] & 0x40:
        return presentation_time(unit[:9] + unit[14:24]) or 0
    return presentation_time(unit) or 0


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {}),
        ("film.mp4", {"bf": "3", "preset": "veryfast"}),
        ("film.mkv", {"bf": "2", "preset": "veryfast"}),
        ("film.ts", {}),
    ],
)
def test_suitable_films_are_copied(name: str, options: dict[str, str], tmp_path: Path) -> None:
    film = render(tmp_path / name, 5, options=options)
    program = take_in(film, tmp_path / "spool")
    *full, last = [segment.duration_ms for segment in program.segments]
    assert full == [2000, 2000]
    assert 1000 <= last <= 1000 + SOUND_BLOCK_MS
    assert [stream.encoded_because for stream in program.header.streams] == [(), ()]
    assert program.header.film_bytes == film.stat().st_size
    assert check_program(program, tmp_path / "spool", tmp_path) == picture_hashes(film)


@pytest.mark.peer("ffmpeg")
def test_a_real_clip_is_encoded_because_its_group_is_too_long(tmp_path: Path) -> None:
    program = take_in(real_clip(), tmp_path / "spool", "Big Buck Bunny", longest_segment_ms=4000)
    assert [segment.duration_ms for segment in program.segments] == [2000, 2000, 1312]
    assert [stream.encoded_because for stream in program.header.streams] == [
        ("a closed group of pictures of 5.3 s",),
        (),
    ]
    assert program.name == f"big-buck-bunny-{program.header.sha256[:8]}"
    assert len(check_program(program, tmp_path / "spool", tmp_path)) == len(picture_hashes(real_clip()))


@pytest.mark.peer("ffmpeg")
def test_a_real_clip_is_copied_whole_where_segments_may_be_long(tmp_path: Path) -> None:
    program = take_in(real_clip(), tmp_path / "spool")
    assert [segment.duration_ms for segment in program.segments] == [5312]
    assert check_program(program, tmp_path / "spool", tmp_path) == picture_hashes(real_clip())


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("film.avi", {"video_codec": "mpeg4", "audio_codec": "mp3", "width": 322, "height": 182}),
        ("film.mkv", {"video_codec": "mpeg2video", "audio_codec": "ac3"}),
        ("film.mp4", {"audio_codec": "mp3"}),
        ("film.mp4", {"options": {"x264-params": "open-gop=1", "bf": "3", "preset": "medium"}, "gop": 30}),
        ("film.mp4", {"audio_codec": None, "gop": 250, "fps": 30}),
    ],
)
def test_others_are_encoded(name: str, settings: dict[str, object], tmp_path: Path) -> None:
    film = render(tmp_path / name, 5, **settings)
    program = take_in(film, tmp_path / "spool", segment_ms=1000, longest_segment_ms=1100)
    assert max(segment.duration_ms for segment in program.segments) <= 1100
    assert abs(program.header.duration_ms - 5000) <= 80
    assert len(check_program(program, tmp_path / "spool", tmp_path)) == len(picture_hashes(film))


@pytest.mark.peer("ffmpeg")
def test_sound_before_the_pictures_is_heard(tmp_path: Path) -> None:
    film, late = render(tmp_path / "film.mp4", 4), tmp_path / "late.mkv"
    delayed = ["ffmpeg", "-v", "error", "-i", film, "-itsoffset", "1.5", "-i", film]
    subprocess.run([*delayed, "-map", "1:v", "-map", "0:a", "-c", "copy", late], check=True)
    program = take_in(late, tmp_path / "spool")
    assert abs(program.header.duration_ms - 5500) <= SOUND_BLOCK_MS
    assert program.header.warnings == ("the first picture stands 1.5 s longer: sound begins before it",)
    check_program(program, tmp_path / "spool", tmp_path)


@pytest.mark.peer("ffmpeg")
def test_a_hole_in_time_is_a_still(tmp_path: Path) -> None:
    film, hole = render(tmp_path / "film.mp4", 3, audio_codec=None), tmp_path / "hole.mkv"
    later = ["-vf", "setpts=PTS+gt(T\\,1)*20/TB", "-fps_mode", "vfr", "-c:v", "mpeg4"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", film, *later, hole], check=True)
    program = take_in(hole, tmp_path / "spool")
    assert program.header.duration_ms == 23_000
    assert max(segment.duration_ms for segment in program.segments) <= 2200
    assert "pictures were added" in program.header.warnings[0]


@pytest.mark.peer("ffprobe")
def test_ffprobe_finds_no_gap(tmp_path: Path) -> None:
    program = take_in(render(tmp_path / "film.mp4", 4), tmp_path / "spool")
    whole = tmp_path / "whole.ts"
    whole.write_bytes(b"".join(segments_of(program, tmp_path / "spool")))
    probe = ["ffprobe", "-v", "warning", "-show_packets", "-select_streams", "v", "-of", "json", whole]
    done = subprocess.run(probe, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    times = [int(packet["dts"]) for packet in json.loads(done.stdout)["packets"]]
    assert {after - before for before, after in pairwise(times)} == {3600}


@pytest.mark.peer("gst-launch-1.0")
def test_gstreamer_demultiplexes_every_picture(tmp_path: Path) -> None:
    program = take_in(render(tmp_path / "film.mp4", 4, audio_codec=None), tmp_path / "spool")
    whole = tmp_path / "whole.ts"
    whole.write_bytes(b"".join(segments_of(program, tmp_path / "spool")))
    parts = ["filesrc", f"location={whole}", "!", "tsdemux", "!", "h264parse", "!"]
    sink = ["multifilesink", f"location={tmp_path}/picture-%05d", "next-file=buffer"]
    subprocess.run(["gst-launch-1.0", "-q", *parts, *sink], check=True, capture_output=True, timeout=60)
    assert len(list(tmp_path.glob("picture-*"))) == 100


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"], ids=["copied", "encoded"])
def test_the_same_film_is_the_same_program(codec: str, tmp_path: Path) -> None:
    source = render(tmp_path / "film.mp4", 3, video_codec=codec)
    first = take_in(source, tmp_path / "spool")
    assert take_in(source, tmp_path / "spool") == first
    assert take_in(source, tmp_path / "elsewhere") == first


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Big Buck Bunny", "big-buck-bunny-01234567"),
        ("  Über-Film!! (2026) ", "uber-film-2026-01234567"),
        ("映画", "program-01234567"),
        ("x" * 100, f"{'x' * 48}-01234567"),
        ("a" * 47 + "  b", f"{'a' * 47}-01234567"),
    ],
)
def test_program_names(title: str, name: str) -> None:
    assert program_id(title, "0123456789abcdef" * 4) == name


def directory(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("This is not a film.\n" * 500)


def playlist(path: Path) -> None:
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{render(path.with_name('part.ts'), 1)}\n")


def noise(path: Path) -> None:
    path.write_bytes(b"".join(sha256(bytes([n])).digest() for n in range(256)) * 10)


def still(path: Path) -> None:
    jpeg = {"strict": "unofficial"}
    film = render(path.with_suffix(".avi"), 1 / 25, video_codec="mjpeg", audio_codec=None, options=jpeg).read_bytes()
    path.write_bytes(film[film.index(b"\xff\xd8\xff") :])


def sound(path: Path) -> None:
    whole = render(path.with_name("whole.mp4"), 2)
    subprocess.run(["ffmpeg", "-v", "error", "-i", whole, "-vn", "-c", "copy", path], check=True)


def without_index(path: Path) -> None:
    film = render(path, 3).read_bytes()
    path.write_bytes(film[: film.index(b"moov") - 4] + film[film.index(b"mdat") - 4 :])


def half(path: Path) -> None:
    film = render(path, 6).read_bytes()
    path.write_bytes(film[: len(film) // 2])


def half_to_encode(path: Path) -> None:
    film = render(path, 6, gop=250).read_bytes()
    path.write_bytes(film[: len(film) // 2])


def damaged(path: Path) -> None:
    film = render(path, 6).read_bytes()
    third = len(film) // 3
    path.write_bytes(film[:third] + bytes(third) + film[2 * third :])


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize(
    ("spoil", "name", "error"),
    [
        (directory, "film.mp4", NotAFile),
        (empty, "film.mp4", EmptySource),
        (text, "film.txt", NotMedia),
        (text, "film.mp4", NotMedia),
        (playlist, "film.m3u8", NotMedia),
        (noise, "film.mp4", NotMedia),
        (still, "film.jpeg", NotMedia),
        (sound, "film.mp4", NoVideo),
        (without_index, "film.mp4", NotMedia),
        (half, "film.mp4", (TruncatedSource, DamagedSource)),
        (half, "film.mkv", TruncatedSource),
        (half_to_encode, "film.mp4", (TruncatedSource, DamagedSource)),
        (damaged, "film.mp4", DamagedSource),
    ],
)
def test_what_is_no_film_is_refused(
    spoil: Callable[[Path], None], name: str, error: type[IngestError], tmp_path: Path
) -> None:
    source, spool = tmp_path / name, tmp_path / "spool"
    spoil(source)
    refused(source, spool, error)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.mp4", tmp_path / "spool", UnreadableSource)


def refused(source: Path, spool: Path, error: type[IngestError]) -> IngestError:
    with pytest.raises(error) as caught:
        take_in(source, spool)
    sentence = str(caught.value)
    assert str(source) in sentence
    assert "\n" not in sentence
    assert list(spool.iterdir()) == []
    return caught.value


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"], ids=["copied", "encoded"])
def test_a_full_disk(codec: str, tmp_path: Path) -> None:
    """A limit on the length of files stands for the disk: the same error in the same places."""
    film, spool = render(tmp_path / "film.mp4", 6, video_codec=codec), tmp_path / "spool"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(DiskFull) as caught:
            take_in(film, spool)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(film) in str(caught.value)
    assert list(spool.iterdir()) == []


def at_work_in(spool: Path) -> list[psutil.Process]:
    """The processes that ingest into a spool folder: whatever else this process has started is not theirs."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it may end while it is looked at
            if any(str(spool) in word for word in child.cmdline()):
                found.append(child)
    return found


def test_a_crash_of_the_process(tmp_path: Path) -> None:
    def crash(_: float) -> None:
        for process in at_work_in(tmp_path / "spool"):  # two reports may be read in one go
            process.send_signal(signal.SIGSEGV)

    with subprocess.Popen(["sleep", "60"]) as somebody_else:
        try:
            with pytest.raises(IngestCrashed) as caught:
                asyncio.run(ingest(real_clip(), tmp_path / "spool", title="x", on_progress=crash))
            assert somebody_else.poll() is None
        finally:
            somebody_else.kill()
    assert caught.value.exit_code == -signal.SIGSEGV
    assert list((tmp_path / "spool").iterdir()) == []


def test_cancelled(tmp_path: Path) -> None:
    async def cancel() -> None:
        begun = asyncio.Event()
        work = asyncio.create_task(
            ingest(real_clip(), tmp_path / "spool", title="x", on_progress=lambda _: begun.set())
        )
        await begun.wait()
        assert at_work_in(tmp_path / "spool")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancel())
    assert not at_work_in(tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


def test_clear_spool_takes_only_what_was_left_behind(tmp_path: Path) -> None:
    for name in (".ingest-abc/segments", "never-registered", "film", DOWNLOADS):
        (tmp_path / name).mkdir(parents=True)
    clear_spool(tmp_path, {"film"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [DOWNLOADS, "film"]
