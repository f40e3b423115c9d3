"""The command as a process of its own, against a scripted station."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from media_network.status import ProcessStatus, write_status
from media_network.whereabouts import center_state
from tests.chassis_emulator.media_console.scripted_station import PullStation, PushStation, ScriptedCenter, film
from tests.patience import PATIENCE_S

PROGRAM, BODIES = film(30, 14, 25)
WHOLE = b"".join(BODIES)
COMMAND = Path(sys.executable).parent / "media-console"


async def begin(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        COMMAND,
        "play",
        *map(str, arguments),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process):
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert b"Traceback" not in errors
    return process.returncode, output, errors.decode()


async def run(*arguments, **environment):
    return await finish(await begin(*arguments, **environment))


def note_center(folder, address):
    center_state(folder).mkdir(parents=True)
    write_status(center_state(folder), ProcessStatus(pid=1, role="center", state="serving", media=str(address)))


def test_a_program_of_the_network_on_this_laptop(tmp_path):
    async def talk():
        async with PullStation(BODIES).up() as station:
            station.script = {number: [("one", "good")] for number in range(3)}
            async with ScriptedCenter(PROGRAM, {"north": (station.director, 3)}).up() as center:
                note_center(tmp_path, center)
                copy = tmp_path / "copy.ts"
                code, output, errors = await run("film", "--output", copy, MEDIA_STATION_STATE=str(tmp_path))
                assert (code, errors) == (0, "")
                assert "intact: these are the bytes that were published" in output.decode()
                assert copy.read_bytes() == WHOLE
                code, output, errors = await run("film", "--station", "north", "--state-dir", tmp_path, "--json")
                reception = json.loads(output)
                assert (code, errors) == (0, "")
                assert (reception["program"], reception["sha256"], reception["intact"]) == (
                    "film",
                    PROGRAM.header.sha256,
                    True,
                )
                assert [one["number"] for one in reception["segments"]] == [0, 1, 2]
                assert {one["engine"] for one in reception["segments"]} == {str(station.addresses["one"])}

    asyncio.run(talk())


def test_a_url_to_the_standard_output():
    async def talk():
        async with PullStation(BODIES).up() as station:
            url = f"http://{station.director}/programs/film/playlist.m3u8"
            code, output, errors = await run(url, "--output", "-")
            assert (code, output) == (0, WHOLE)
            assert f"sha256 {PROGRAM.header.sha256}" in errors
            code, output, errors = await run(url, "--output", "-", "--json")
            assert (code, output) == (0, WHOLE)
            assert json.loads(errors)["bytes"] == len(WHOLE)

    asyncio.run(talk())


@pytest.mark.parametrize("lost", [(), (1,)])
def test_push(tmp_path, lost):
    async def talk():
        async with PushStation(PROGRAM, BODIES).up() as station:
            copy = tmp_path / "copy.ts"
            url = f"http://{station.director}/programs/film/playlist.m3u8"
            process = await begin(url, "--by", "push", "--output", copy, "--json")
            await asyncio.wait_for(station.streaming.wait(), PATIENCE_S)
            for segment in range(3):
                await station.send(segment, segment % 2, lost=lost if segment == 1 else ())
            station.end()
            code, output, errors = await finish(process)
            reception = json.loads(output)
            assert (code, errors) == (1 if lost else 0, "")
            assert [one["intact"] for one in reception["segments"]] == [True, not lost, True]
            assert [one["engine"] for one in reception["segments"]] == [station.names[n % 2] for n in range(3)]
            assert reception["bytes"] == len(copy.read_bytes())
            assert reception["intact"] is (not lost)

    asyncio.run(talk())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_has_the_stream_cease(tmp_path, number):
    async def talk():
        async with PushStation(PROGRAM, BODIES).up() as station:
            copy = tmp_path / "copy.ts"
            url = f"http://{station.director}/programs/film/playlist.m3u8"
            process = await begin(url, "--by", "push", "--output", copy)
            await asyncio.wait_for(station.streaming.wait(), PATIENCE_S)
            await station.send(0, 0)
            process.send_signal(number)
            code, output, errors = await finish(process)
            assert (code, errors) == (0, "")
            assert "stopped before the end" in output.decode()
            assert station.ceased == [(0, "s1", 1)]
            assert copy.read_bytes() == BODIES[0][: copy.stat().st_size]

    asyncio.run(talk())


def test_one_sentence_and_a_hint(tmp_path, free_port):
    async def talk():
        nobody = f"127.0.0.1:{free_port()}"
        gone = tmp_path / "gone"
        note_center(gone, nobody)
        kept = tmp_path / "kept.ts"
        kept.write_bytes(b"of value")
        cases = [
            (("film", "--state-dir", tmp_path), f"No network runs with its state in {tmp_path}.", 1),
            (("film", "--state-dir", gone), f"The distribution center at {nobody} does not answer: connection", 1),
            ((f"http://{nobody}/x.m3u8", "--output", kept), f"The director at {nobody} does not answer: connection", 1),
            (("https://127.0.0.1/x.m3u8",), "only http:// is spoken here", 1),
            (("http://127.0.0.1/x.m3u8", "--by", "push"), "push needs the URL of a program at its director", 1),
            (("film", "--to", nobody), "--to is for --by push", 2),
            (("film", "--by", "push", "--to", "there"), "is not an IPv4 address and a port", 2),
            (("film", "--by", "push", "--to", nobody, "--output", kept), "exclude each other", 2),
            (("http://127.0.0.1/", "--station", "north"), "--station is for a PROGRAM", 2),
        ]
        results = await asyncio.gather(*(run(*arguments) for arguments, _, _ in cases))
        for (arguments, said, code), (ended, output, errors) in zip(cases, results, strict=True):
            assert (ended, output) == (code, b""), arguments
            assert said in errors
            assert len(errors.splitlines()) <= 5
        assert kept.read_bytes() == b"of value"

    asyncio.run(talk())


def test_an_output_that_cannot_be_written(tmp_path):
    async def talk():
        async with PullStation(BODIES).up() as station:
            url = f"http://{station.director}/programs/film/playlist.m3u8"
            for path, said in [("/dev/full", "No space left on device"), (tmp_path / "no" / "x", "No such file")]:
                code, output, errors = await run(url, "--output", path)
                assert (code, output) == (1, b"")
                assert f"{path} cannot be written: {said}" in errors

    asyncio.run(talk())


def test_help_shows_an_example():
    async def talk():
        code, output, _ = await run("--help")
        assert code == 0
        assert "media-console play bigbuckbunny --station north --by push --output bunny.ts\n" in output.decode()

    asyncio.run(talk())
