"""A package is ingested as one: its film is the program, and what its metadata say goes with it."""

import asyncio
import hashlib
import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from msgspec.structs import replace as with_facts

from distribution_center.content import ingesting
from distribution_center.content.providers.provider import ProviderSettings
from media_network.http.parts import fetch_part
from media_network.messages.content import (
    ASK_INGEST,
    CANCEL_INGEST,
    INGEST,
    PUBLISH,
    AskIngest,
    CancelIngest,
    Ingest,
    IngestStage,
    ProgramState,
    Publish,
)
from media_network.program_header import ATTACHMENT_BYTES_MAX, AttachmentKind
from media_network.refusal import Reason
from tests.distribution_center.content.metadata.documents import ADI
from tests.distribution_center.content.packages.test_unpacking import tar, zipped
from tests.distribution_center.world import HOME, film, spool_film
from tests.patience import until

FILM = b"not a film, but nobody looks here" * 30
PICTURE = b"\xff\xd8\xff a picture"
METADATA = {
    "title": "A slope wanders",
    "window_ends": "2200-01-01T00:00:00Z",
    "film": {"file": "slope.mp4", "length_bytes": len(FILM), "md5": hashlib.md5(FILM).hexdigest()},
    "picture": {"file": "slope.jpg"},
}


@pytest.fixture
def made(monkeypatch):
    """What films become programs: titles and bytes."""
    films = []

    async def put_in_spool(path, spool, *, title, admit, **_):
        films.append((title, path.read_bytes()))
        program = film()
        program = replace(program, header=with_facts(program.header, title=title))
        await admit(program)
        spool_film(spool, program)
        return program

    monkeypatch.setattr(ingesting, "ingest", put_in_spool)
    return films


def contents(document=None, **others):
    """The files of a package; None: left out."""
    files = {
        "film.json": json.dumps(METADATA if document is None else document).encode(),
        "slope.mp4": FILM,
        "slope.jpg": PICTURE,
    }
    return {name: content for name, content in (files | others).items() if content is not None}


def folder_of(path, files):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


async def ingested(world, source, **facts):
    """How an ingest ends."""
    begun = await world.ask(INGEST, Ingest(source=str(source), **facts))
    progress = begun
    while not progress.is_over:
        await asyncio.sleep(0.05)
        progress = await world.ask(ASK_INGEST, AskIngest(begun.ingest))
    left = [path.name for path in (world.folder / "spool").rglob("*") if not path.is_dir()]
    assert left == []
    assert [path.name for path in (world.folder / "spool").glob(".*")] == []
    return progress


async def header(world):
    return await world.repository.program("film")


def with_center(told, story):
    async def tell(world):
        async with world.center(), world.station(HOME):
            await story(world)

    told(tell)


@pytest.mark.parametrize("kind", ["folder", "metadata", "tar", "tar of a folder", "zip"])
def test_a_package_is_ingested_as_one(kind, told, made, tmp_path):
    files = contents()
    match kind:
        case "folder" | "metadata":
            source = folder_of(tmp_path / "slope", files)
            source = source / "film.json" if kind == "metadata" else source
        case "tar":
            source = tar(tmp_path / "slope.tar", files.items())
        case "tar of a folder":
            source = tar(tmp_path / "slope.tgz", [(f"slope/{name}", octets) for name, octets in files.items()], "w:gz")
        case _:
            source = zipped(tmp_path / "slope.zip", files.items())

    async def story(world):
        assert (await ingested(world, source)).stage is IngestStage.DONE
        assert made == [("A slope wanders", FILM)]
        row = await world.row("film")
        assert (row.title, row.state, row.warnings) == ("A slope wanders", ProgramState.INACTIVE, ())
        found = await header(world)
        assert [one.kind for one in found.attachments] == [AttachmentKind.METADATA, AttachmentKind.PICTURE]
        for attachment, octets in zip(found.attachments, (files["film.json"], PICTURE), strict=True):
            assert await fetch_part(world.http, world.media, attachment.sha256, ATTACHMENT_BYTES_MAX) == octets
            assert attachment.length_bytes == len(octets)

    with_center(told, story)


def test_adi_sets_the_times_of_its_program(told, made, tmp_path):
    adi = ADI.replace("2680090E51970E67B412AF35201B9053", hashlib.md5(FILM).hexdigest()).replace(
        'Value="1000"', f'Value="{len(FILM)}"'
    )
    next_year = time.gmtime().tm_year + 1
    adi = adi.replace("2030-01-02", f"{next_year}-01-02").replace("2031-01-02", f"{next_year + 1}-01-02")
    files = contents() | {"ADI.XML": adi.encode()}

    async def story(world):
        assert (await ingested(world, folder_of(tmp_path / "slope", files), title="Mine")).stage is IngestStage.DONE
        assert made[0][0] == "Mine", "what an operator says wins"
        row = await world.row("film")
        assert row.state is ProgramState.INACTIVE
        assert time.gmtime(row.publish_at_ms / 1000)[:4] == (next_year, 1, 2, 0)
        assert time.gmtime(row.window_ends_ms / 1000)[:4] == (next_year + 1, 1, 3, 0)
        assert "its times have no zone: they are taken as UTC" in row.warnings
        assert not (await header(world)).is_in_service(int(time.time() * 1000))

    with_center(told, story)


def test_nothing_goes_into_service_by_a_time_that_has_passed_or_beyond_its_window(told, made, tmp_path):
    past = METADATA | {"publish_at": "2001-01-01T00:00:00Z", "window_ends": "2002-01-01T00:00:00Z"}

    async def story(world):
        assert (await ingested(world, folder_of(tmp_path / "slope", contents(past)))).stage is IngestStage.DONE
        row = await world.row("film")
        assert (row.state, row.publish_at_ms) == (ProgramState.INACTIVE, None)
        assert "its licence window has ended: `publish` needs another end" in row.warnings
        refused = await world.ask(PUBLISH, Publish("film"))
        assert refused.reason is Reason.NOT_READY
        assert "ended before it was ever published: name another end" in refused.detail
        published = await world.ask(PUBLISH, Publish("film", until_ms=int(time.time() * 1000) + 60_000))
        assert published.state is ProgramState.PUBLISHED

    with_center(told, story)


@pytest.mark.parametrize(
    ("document", "others", "sentence"),
    [
        ({"title": "A"}, {}, "its metadata name no film"),
        ({"film": {"file": "none.mp4"}}, {}, "its metadata name the film 'none.mp4', which is not beside them"),
        ({"film": {"file": "../secret.mp4"}}, {}, "'../secret.mp4', which is not beside them"),
        ({"film": {"file": "/etc/passwd"}}, {}, "'/etc/passwd', which is not beside them"),
        ({"film": {"file": "a\0b"}}, {}, "which is not beside them"),
        ({"film": {"file": "http://127.0.0.1:9/film.mp4"}}, {}, "which is not beside them"),
        ({"film": {"file": "slope.mp4", "length_bytes": 7}}, {}, f"slope.mp4 has {len(FILM)} bytes, and its metadata"),
        ({"film": {"file": "slope.mp4", "sha256": "0" * 64}}, {}, "the SHA256 of slope.mp4 is"),
        (None, {"other.json": b"{}"}, "it has 2 files of metadata (film.json, other.json): a package is one program"),
        (None, {"film.json": b"{"}, "line 1: this is no JSON"),
        (None, {"film.json": None}, "is a directory without metadata: name a video file in it, or a package"),
    ],
)
def test_what_is_no_package_is_a_sentence_and_leaves_nothing(document, others, sentence, told, made, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(FILM)
    source = folder_of(tmp_path / "slope", contents(document, **others))

    async def story(world):
        progress = await ingested(world, source)
        assert progress.stage is IngestStage.FAILED
        assert sentence in progress.error
        assert made == []
        assert await world.row("film") is None

    with_center(told, story)


@pytest.mark.parametrize(
    ("picture", "warning"),
    [
        (None, "which is not beside them: it is left out"),
        (b"<svg/>", "its picture is neither JPEG, PNG, GIF nor BMP and is left out"),
        (PICTURE + bytes(ATTACHMENT_BYTES_MAX), "its picture has more than 1048576 bytes and is left out"),
    ],
)
def test_a_picture_that_is_none_is_a_warning(picture, warning, told, made, tmp_path):
    source = folder_of(tmp_path / "slope", contents(**{"slope.jpg": picture}))

    async def story(world):
        assert (await ingested(world, source)).stage is IngestStage.DONE
        assert any(warning in one for one in (await world.row("film")).warnings)
        assert [one.kind for one in (await header(world)).attachments] == [AttachmentKind.METADATA]

    with_center(told, story)


@asynccontextmanager
async def provider(files):
    """A web server with a package; what it is asked for, and an event without which it gives no film."""
    asked, open_ = [], asyncio.Event()
    open_.set()

    async def answer(request):
        name = request.path.rpartition("/")[2]
        asked.append(name)
        if name not in files:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Length": str(len(files[name])), "ETag": '"1"'})
        await response.prepare(request)
        await response.write(files[name][:100])
        if name == "slope.mp4":
            await open_.wait()
        await response.write(files[name][100:])
        return response

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/films/", asked, open_
    finally:
        await runner.cleanup()


def with_provider(told, files, story):
    async def tell(world):
        async with provider(files) as (address, asked, open_):
            world.providers = (ProviderSettings(name="studio", address=address),)
            async with world.center(), world.station(HOME):
                await story(world, address, asked, open_)

    told(tell)


def test_a_package_at_a_provider_is_fetched_by_its_metadata(told, made):
    async def story(world, address, asked, _):
        assert (await ingested(world, f"{address}film.json")).stage is IngestStage.DONE
        assert made == [("A slope wanders", FILM)]
        assert asked == ["film.json", "slope.mp4", "slope.jpg"]
        assert len((await header(world)).attachments) == 2

    with_provider(told, contents(), story)


def test_an_archive_at_a_provider_is_unpacked(told, made, tmp_path):
    archive = tar(tmp_path / "slope.tar", contents().items()).read_bytes()

    async def story(world, address, asked, _):
        assert (await ingested(world, f"{address}slope.tar")).stage is IngestStage.DONE
        assert made == [("A slope wanders", FILM)]

    with_provider(told, {"slope.tar": archive}, story)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (
            "http://127.0.0.2:9/film.mp4",
            "http://127.0.0.2:9/film.mp4 is not at the provider of the metadata that name it",
        ),
        ("../other/film.mp4", "other/film.mp4 is not at the provider of the metadata that name it"),
        ("none.mp4", "HTTP 404"),
    ],
)
def test_metadata_lead_nowhere_but_to_providers(file, sentence, told, made):
    async def story(world, address, asked, _):
        progress = await ingested(world, f"{address}film.json")
        assert sentence in progress.error
        assert "slope.mp4" not in asked

    with_provider(told, contents({"film": {"file": file}}), story)


def test_a_film_that_is_not_what_its_metadata_say_is_not_kept(told, made):
    async def story(world, address, asked, _):
        progress = await ingested(world, f"{address}film.json")
        assert "and its metadata say 7" in progress.error
        assert made == []

    with_provider(told, contents({"film": {"file": "slope.mp4", "length_bytes": 7}}), story)


def test_two_packages_that_name_one_film_do_not_meet_at_what_has_come_of_it(told, made):
    """One is cancelled while both are fetched: what it lets go of is its own."""
    again = json.dumps(METADATA | {"title": "Again"}).encode()

    async def story(world, address, asked, open_):
        open_.clear()
        first, second = [await world.ask(INGEST, Ingest(source=f"{address}{name}.json")) for name in ("film", "again")]
        downloads = world.folder / "spool" / "downloads"
        await until(lambda: [path.stat().st_size for path in downloads.glob("*.part")] == [100, 100])
        await world.ask(CANCEL_INGEST, CancelIngest(second.ingest))
        assert [path.stat().st_size for path in downloads.glob("*.part")] == [100]
        open_.set()
        progress = first
        while not progress.is_over:
            await asyncio.sleep(0.05)
            progress = await world.ask(ASK_INGEST, AskIngest(first.ingest))
        assert (progress.stage, made) == (IngestStage.DONE, [("A slope wanders", FILM)])

    with_provider(told, contents(**{"again.json": again}), story)


def test_nothing_stays_of_a_package_that_is_cancelled_while_it_comes(told, made):
    async def story(world, address, asked, open_):
        open_.clear()
        begun = await world.ask(INGEST, Ingest(source=f"{address}film.json"))
        downloads = world.folder / "spool" / "downloads"
        await until(lambda: any(path.stat().st_size == 100 for path in downloads.glob("*.part")))
        progress = await world.ask(CANCEL_INGEST, CancelIngest(begun.ingest))
        assert (progress.stage, progress.error) == (IngestStage.CANCELLED, None)
        assert list(downloads.iterdir()) == []

    with_provider(told, contents(), story)
