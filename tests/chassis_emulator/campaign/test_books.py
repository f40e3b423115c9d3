"""Three books that agree, and each way in which they may not."""

from hashlib import sha256

from chassis_emulator.campaign.books import DirectorBook, DiskBook, differences, read_disks
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from media_network.cut import Cut
from media_network.messages.watching import EngineView, StationView
from media_network.segment_set import parse_segments

TOPOLOGY = Topology(
    network=90,
    name="books",
    center=Center(name="main", home="north"),
    stations=(StationTopology(name="north", slots=2, channels=2),),
)
ENGINE = "127.90.1.2:8081"
FILM = Cut("film", "0" * 64)


def said(segments, held):
    """What the director says: how many segments its engine has, and which the station holds."""
    engine = EngineView(
        slot=2, engine=ENGINE, media="127.90.1.2:8080", load_bps=0, capacity_bps=1, streams=0, segments=segments
    )
    return DirectorBook(view=StationView(station="north", epoch=1, engines=(engine,)), held=held)


def told(registered, *, counted=3, known="0-2", held=(0, 1, 2), wrong=()):
    disks = {ENGINE: DiskBook(held={FILM: frozenset(held)}, wrong=wrong)}
    director = said(counted, {FILM: parse_segments(known)})
    return list(differences("north", {FILM: frozenset(registered)}, director, disks))


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
        folder = channel / f"film.{FILM.table}"
        folder.mkdir(parents=True)
        digest = sha256(b"good").hexdigest()
        (folder / f"{number}.4.{digest}.ts").write_bytes(content)
    book = read_disks(blade)
    assert book.held == {FILM: frozenset({0})}
    (rotten,) = book.wrong
    assert "/7.4." in rotten
    assert f"{rotten} does not hold what its name says" in list(differences("north", {}, said(1, {}), {ENGINE: book}))
