"""Three books that agree, and each way in which they may not."""

from hashlib import sha256

from chassis_emulator.campaign.books import DiskBook, differences, read_disks
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from media_network.messages.watching import EngineView, StationView

TOPOLOGY = Topology(
    network=90,
    name="books",
    center=Center(name="main", home="north"),
    stations=(StationTopology(name="north", slots=2, channels=2),),
)
ENGINE = "127.90.1.2:8081"


def view(segments, programs):
    engine = EngineView(
        slot=2, engine=ENGINE, media="127.90.1.2:8080", load_bps=0, capacity_bps=1, streams=0, segments=segments
    )
    return StationView(station="north", epoch=1, engines=(engine,), programs=programs)


def told(registered, *, counted=3, known="0-2", held=(0, 1, 2), wrong=()):
    disks = {ENGINE: DiskBook(held={"film": frozenset(held)}, wrong=wrong)}
    return list(differences("north", {"film": frozenset(registered)}, view(counted, {"film": known}), disks))


def test_books_that_agree_say_nothing():
    assert told({0, 1, 2}) == []


def test_a_location_that_is_in_one_book_only_is_named():
    (clause,) = told({0, 1, 2, 3})
    assert clause == "the registry lists film 3 at north, which no engine's disk holds"
    (clause,) = told({0, 2})
    assert clause == "the registry lacks film 1 at north, which a disk there holds"
    (clause,) = told({0, 1, 2}, known="0-1")
    assert clause == "the director lacks film 2 at north, which a disk there holds"
    (clause,) = told({0, 1, 2}, counted=2)
    assert clause == f"north counts 2 segments at {ENGINE}, whose disks hold 3"
    assert len(told({0, 1, 2}, held=(0, 1))) == 3


def test_what_a_disk_holds_is_read_byte_by_byte(tmp_path):
    blade = plan_network(TOPOLOGY, tmp_path).blades[0]
    for channel, number, content in zip(blade.channels, (0, 7), (b"good", b"rotten"), strict=True):
        (channel / "film").mkdir(parents=True)
        digest = sha256(b"good").hexdigest()
        (channel / "film" / f"{number}.4.{digest}.ts").write_bytes(content)
    book = read_disks(blade)
    assert book.held == {"film": frozenset({0})}
    (rotten,) = book.wrong
    assert "film/7.4." in rotten
    assert f"{rotten} does not hold what its name says" in list(differences("north", {}, view(1, {}), {ENGINE: book}))
