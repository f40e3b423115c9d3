"""What a distribution center and a network management system keep."""

import asyncio
import hashlib
import pickle
from unittest.mock import patch

from aiohttp import ClientSession, web

from chassis_emulator.campaign.film import render_film
from distribution_center.accounts.database import SqliteDatabase
from distribution_center.accounts.stored_ledger import StoredLedger
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import ManagedSubscriber, Rental
from distribution_center.authentication.key_ring import KeyRing
from distribution_center.authentication.subscriber_file import SubscriberFile, for_ever
from distribution_center.content import ingest as ingest_module
from distribution_center.content.ingest import ingest
from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.content.ingest_process import produce
from distribution_center.content.providers import download as download_module
from distribution_center.content.providers.download import download
from distribution_center.content.providers.http_remote import HttpRemote
from distribution_center.content.segment_folder import index_path, segment_path
from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.download_life import DownloadEvent, Heard
from distribution_center.headquarters.followed import Followed
from distribution_center.headquarters.order_book import OrderBook
from distribution_center.headquarters.places import Places
from distribution_center.headquarters.store import HeadquartersStore
from distribution_center.network_management.history import History, Sample
from distribution_center.registry import sql_repository
from distribution_center.registry.repository import RegisteredStation, Stamp, Verdict
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.callback import do_nothing
from media_network.files import make_durable_folder
from media_network.messages.billing import DeliverUsage, UsageRecord
from media_network.messages.content import Ingest, IngestStage
from media_network.messages.headquarters import AskWhere, CancelOrder, OrderDownload
from media_network.messages.program_information import Changes, ProgramChange
from media_network.messages.shares import Share, Shares
from media_network.messages.subscribers import Grant, SubscriberState
from media_network.segment_table import SegmentTable
from media_network.tokens.keys import Algorithm
from tests.power_cut.engine import program_of

NORTH = RegisteredStation(station="north", director="127.1.2.1:81", media="127.1.2.1:80", stamp=Stamp(1, 1))


async def _snapshot(repository):
    """All that a registry knows, to be compared."""
    programs = {}
    for change in await repository.changes(0):
        name, header = change.program, change.header
        table = await repository.part(header.table) if header else None
        programs[name] = (change, table, await repository.locations(name), await repository.orders(name))
    stations = await repository.stations()
    return (programs, stations, await repository.shares(0)) if programs or stations else None


_A = program_of("a", segments=70)


def write_registry(folder, record):
    """Snapshots are taken beforehand from a registry in memory that is told the same."""

    async def write():
        path = folder / "state" / "registry.sqlite"
        works = [
            lambda store: store.add_program(_A),
            lambda store: store.see_station(NORTH),
            lambda store: store.replace_station("north", Stamp(1, 1), {_A.cut: [range(3), range(2)]}),
            lambda store: store.add_locations(_A.cut, "north", Stamp(1, 1), range(60, 70)),
            lambda store: store.set_order("a", "north", 2),
            lambda store: store.publish_program("a", 1000),
            lambda store: store.remove_locations(_A.cut, "north", Stamp(1, 1), [1]),
            lambda store: store.add_program(program_of("b", segments=100)),
            lambda store: store.withdraw_program("a"),
        ]
        rehearsal = SqliteRepository.open(folder.parent / "rehearsal.sqlite")
        facts = []
        for work in works:
            assert await work(rehearsal) is Verdict.ACCEPTED
            facts.append(await _snapshot(rehearsal))
        await rehearsal.close()
        store = SqliteRepository.open(path)
        for number, (work, fact) in enumerate(zip(works, facts, strict=True)):
            if number == 6:
                # A restart in between: what is in the WAL by then is brought into the file, and a WAL begins anew.
                await store.close()
                store = SqliteRepository.open(path)
            record.begin(fact)
            assert await work(store) is Verdict.ACCEPTED
            record.acknowledge(fact)
        await store.close()

    with patch.object(sql_repository, "now_ms", lambda: 1):
        asyncio.run(write())


def read_registry(folder):
    async def read():
        store = SqliteRepository.open(folder / "state" / "registry.sqlite")
        found = await _snapshot(store)
        assert await store.add_program(program_of("later")) is Verdict.ACCEPTED
        await store.close()
        return found

    return asyncio.run(read())


def write_subscribers(folder, record):
    ring = KeyRing.begin(Algorithm.ED25519, 1)
    later = ring.turned(Algorithm.ED25519, 2)
    file = SubscriberFile(folder / "state", check=True)
    who, kids = {}, []
    works = [
        (lambda: file.keep_key_ring(ring), lambda: kids.extend(kept.key.kid for kept in ring.keys)),
        (lambda: file.add("ada", "digest"), lambda: who.update(ada=[])),
        (lambda: file.entitle(file.find("ada").id, for_ever("*")), lambda: who.update(ada=["*"])),
        (lambda: file.keep_key_ring(later), lambda: kids.__setitem__(slice(None), [one.key.kid for one in later.keys])),
        (lambda: file.remove(file.find("ada").id), lambda: who.pop("ada")),
    ]
    for work, then in works:
        then()
        fact = {"who": dict(who), "keys": sorted(kids)}
        record.begin(fact)
        work()
        record.acknowledge(fact)
    file.close()


def read_subscribers(folder):
    file = SubscriberFile(folder / "state", check=True)
    who = {one.name: [granted.what for granted in file.entitlements(one.id)] for one in file.listed("", 10)}
    ring = file.key_ring()
    file.add("later", "digest")
    file.close()
    return {"who": who, "keys": sorted(kept.key.kid for kept in ring.keys)} if ring or who else None


def _used(turn):
    return UsageRecord(
        session="s",
        epoch=1,
        turn=turn,
        program="film",
        engine="e",
        boot="b",
        sent_bytes=188,
        began_at_ms=turn,
        ended_at_ms=turn + 1,
    )


def write_accounts(folder, record):
    """Of subscribers and the ledger; a rental is granted and charged, or neither."""

    async def write():
        database = SqliteDatabase(folder / "state" / "accounts.sqlite", check=True)
        stored, ledger = StoredSubscribers(database), StoredLedger(database)
        works = (
            (stored.add(ManagedSubscriber(id="a1", name="ada")), {"ada": "active"}),
            (stored.rent("a1", Rental(grant=Grant(what="film"), price=399, at_ms=1)), {"grants": 1, "charged": 399}),
            (ledger.deliver(DeliverUsage(usage=(_used(0), _used(1)))), {"bytes": 376}),
            (stored.set_state("a1", SubscriberState.CANCELLED), {"ada": "cancelled"}),
            (ledger.deliver(DeliverUsage(usage=(_used(1), _used(2)))), {"bytes": 564}),
        )
        fact = {}
        for work, then in works:
            fact = fact | then
            record.begin(fact)
            await work
            record.acknowledge(fact)
        await database.close()

    asyncio.run(write())


def read_accounts(folder):
    async def read():
        database = SqliteDatabase(folder / "state" / "accounts.sqlite", check=True)
        stored, ledger = StoredSubscribers(database), StoredLedger(database)
        ada = await stored.find("ada")
        found = {"ada": ada.state.value} if ada else {}
        if grants := await stored.granted("a1"):
            charged = await ledger.charged("a1", 0, 10)
            found |= {"grants": len(grants), "charged": sum(each.amount for each in charged)}
        totals, _ = await ledger.totals()
        if totals:
            found["bytes"] = totals[0].recorded_bytes
        await stored.add(ManagedSubscriber(id="later", name="later"))
        await database.close()
        return found or None

    return asyncio.run(read())


_SERIES = ("north/1", "temperature_c", "inlet")


def write_history(folder, record):
    """A minute may be lost; the file may not."""
    make_durable_folder(folder / "state")
    history = History(folder / "state" / "history.sqlite")
    for number in range(1, 5):
        record.begin(number)
        history.add([Sample(*_SERIES, value=20.0 + number)], [], at=number * 10.0)
    history.close()


def read_history(folder):
    make_durable_folder(folder / "state")  # as whoever runs it does first
    history = History(folder / "state" / "history.sqlite")
    points = history.graph("north/1", "temperature_c", 0.0, 1000.0).get("inlet", [])
    history.add([Sample(*_SERIES, value=50.0)], [], at=500.0)
    history.close()
    assert [point.at for point in points] == [10 * number for number in range(1, len(points) + 1)]
    return len(points) or None


def _number(number):
    return f"{number:016x}"


def write_ingests(folder, record):
    async def write():
        jobs = IngestJobs(folder / "state" / "ingests")
        under_way = {}

        async def fact(number, program, work):
            under_way[number] = program
            record.begin(dict(under_way))
            await work
            record.acknowledge(dict(under_way))

        for number in (1, 2):
            await fact(_number(number), None, jobs.begin(_number(number), Ingest(source="/films/film.mp4")))
        chosen = Ingest(source="/films/film.mp4", ingest="chosen")
        await fact("chosen", None, jobs.begin("chosen", chosen))
        await fact("chosen", "over", jobs.end("chosen", IngestStage.FAILED, "for no reason"))
        await fact(_number(1), "film", jobs.cut(_number(1), "film", fresh=True))
        del under_way[_number(1)]
        record.begin(dict(under_way))
        await jobs.end(_number(1), IngestStage.DONE)
        record.acknowledge(dict(under_way))

    asyncio.run(write())


def read_ingests(folder):
    jobs = IngestJobs(folder / "state" / "ingests")
    found = {one.ingest: one.program for one in jobs.load()}
    over = jobs.get("chosen")
    if over and over.is_over:
        found["chosen"] = "over"
    asyncio.run(jobs.begin(_number(9), Ingest(source="/films/later.mp4")))
    return found or None


CHANGES = [
    Changes(changes=(ProgramChange(version=1, program="a", header=_A.header),), until=1),
    Changes(changes=(ProgramChange(version=2, program="a"),), until=2),
]
SHARES = Shares(shares=(Share(version=5, program="a", station="north", segments=3, of=70),), until=5, begun_at_ms=9)
_HERE = AskWhere(center="east", program="a")


def write_headquarters(folder, record):
    """Orders, and pages of feeds: each with what is known after it."""

    async def write():
        store = HeadquartersStore(folder / "state" / "headquarters.sqlite")
        followed, catalogue, places, book = Followed(store), Catalogue(store), Places(store), OrderBook(store)

        async def first(event):
            [opened] = await book.open_at("east", 1)
            await (book.settle(opened) if event is None else book.note(opened, Heard(event)))

        order = OrderDownload(order="order", source="/films/film.mp4", centers=("east",))
        works = [
            (lambda: book.enter(order, 1), ("ordered", 1, 0, 0, 1, 0, 0)),
            (lambda: followed.begin_again("east", 9), ("ordered", 1, 0, 0, 1, 9, 0)),
            (lambda: catalogue.take("east", CHANGES[0]), ("ordered", 1, 1, 1, 1, 9, 0)),
            (lambda: first(DownloadEvent.STORES), ("storing", 1, 1, 1, 1, 9, 0)),
            (lambda: places.take("east", SHARES), ("storing", 1, 1, 1, 1, 9, 3)),
            (lambda: book.cancel(CancelOrder(order="order")), ("cancelling", 1, 1, 1, 1, 9, 3)),
            (lambda: first(DownloadEvent.IS_DONE), ("done", 1, 1, 1, 0, 9, 3)),
            (lambda: catalogue.take("east", CHANGES[1]), ("done", 1, 2, 0, 0, 9, 0)),
            (lambda: first(None), ("done", 0, 2, 0, 0, 9, 0)),
        ]
        for work, fact in works:
            record.begin(fact)
            await work()
            record.acknowledge(fact)
        store.close()

    make_durable_folder(folder / "state")
    asyncio.run(write())


def read_headquarters(folder):
    """Stage of the order, whether its center is still to hear of it, how far the feed is known, programs, open orders,
    when the feed began, and how much of the program is somewhere."""

    async def read():
        store = HeadquartersStore(folder / "state" / "headquarters.sqlite")
        book = OrderBook(store)
        order, progress = await book.ask("order"), await Followed(store).progress("east")
        opened = await book.open_at("east", 1)
        found = await Places(store).where(_HERE)
        await book.enter(OrderDownload(order="later", source="/films/film.mp4", centers=("west",)), 2)
        store.close()
        if order is None:
            return None
        return (
            order.downloads[0].stage.value,
            *(len(opened), progress.since, progress.programs, progress.open_downloads, progress.begun_at_ms),
            sum(share.segments for share in found.stations) if found else 0,
        )

    make_durable_folder(folder / "state")  # as whoever runs it does first
    return asyncio.run(read())


async def _produce_here(order, on_progress):
    """The work of the ingest's process in this one, so that what it writes is recorded."""
    return await asyncio.to_thread(produce, order, on_progress)


def write_spool(folder, record):
    film = render_film(folder.parent / "film.mp4", 1)
    spool = folder / "spool"

    async def write():
        with patch.object(ingest_module, "_run", _produce_here):
            return await ingest(film, spool, title="film", segment_ms=1000, on_progress=do_nothing)

    record.begin("a program")
    program = asyncio.run(write())
    record.acknowledge("a program")
    (folder.parent / "program").write_bytes(pickle.dumps((program.name, program.segments.octets)))


def read_spool(folder):
    """What a center serves from its spool: a program's folder, in which every segment has to be."""
    name, table = pickle.loads((folder.parent / "program").read_bytes())
    found = folder / "spool" / name
    if not found.is_dir():
        return None
    for segment in SegmentTable(table):
        content = segment_path(found, segment.number).read_bytes()
        assert hashlib.sha256(content).hexdigest() == segment.sha256
        assert hashlib.sha256(index_path(found, segment.number).read_bytes()).hexdigest() == segment.index
    return "a program"


FILM = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(256)) * 4
_URL_PATH = "/film.mp4"


async def _download(folder, cuts):
    """Download from a provider that cuts the connection after so many bytes, once each."""
    left = list(cuts)

    async def answer(request):
        first = request.http_range.start or 0
        response = web.StreamResponse(
            status=206 if first else 200, headers={"ETag": '"film"', "Content-Length": str(len(FILM) - first)}
        )
        if first:
            response.headers["Content-Range"] = f"bytes {first}-{len(FILM) - 1}/{len(FILM)}"
        await response.prepare(request)
        end = left.pop(0) if left else len(FILM)
        for begin in range(first, end, 4096):
            await response.write(FILM[begin : min(begin + 4096, end)])
            await asyncio.sleep(0.005)
        if end < len(FILM):
            request.transport.close()
        return response

    application = web.Application()
    application.router.add_get(_URL_PATH, answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{_URL_PATH}"
    try:
        async with ClientSession() as session:
            return await download(
                HttpRemote(session=session, url=url), folder / "downloads", on_bytes=do_nothing, name="film"
            )
    finally:
        await runner.cleanup()


def write_download(folder, record):
    with patch.object(download_module, "DURABLE_EVERY_BYTES", 5000):
        record.begin(FILM)
        path = asyncio.run(_download(folder, [9000, 20_000]))
        assert path.read_bytes() == FILM
        record.acknowledge(FILM)


def finish_download(folder):
    """Whatever was left, going on from there brings the film; and one that was whole is there without going on."""
    whole = folder / "downloads" / "film"
    found = whole.read_bytes() if whole.exists() else None
    assert asyncio.run(_download(folder, [])).read_bytes() == FILM
    return found
