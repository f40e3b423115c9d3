"""An image onto disks that keep what is written, and onto some that do not."""

import errno
import hashlib
import random
from contextlib import contextmanager

import pytest

from blade_agent.flashing.writing import ROUNDS, ImageWriter, NotWritten
from blade_agent.image.manifest import ImageManifest, runs_of

CHUNK = 4096
SIZE = 20 * CHUNK - 100
IMAGE = {
    number: random.Random(number).randbytes(min(CHUNK, SIZE - number * CHUNK)) for number in (0, 1, 2, 5, 6, 11, 19)
}
MANIFEST = ImageManifest(
    profile="virt-arm64",
    release="0.2.0",
    minimum="0.1.0",
    size_bytes=SIZE,
    chunk_bytes=CHUNK,
    chunks=runs_of({number: hashlib.sha256(octets).hexdigest() for number, octets in IMAGE.items()}),
)
OLD = b"o" * SIZE


class FaultyDisk:
    """Keeps what is written in memory until it is synced; `strike` may do anything at each call."""

    def __init__(self, strike=lambda disk, call, offset: None, size=SIZE):
        self.kept = bytearray(OLD)
        self.memory = []
        self.calls = []
        self.size = size
        self._strike = strike

    def write(self, offset, octets):
        self._call("write", offset)
        self.memory.append((offset, octets))

    def read(self, offset, length):
        self._call("read", offset)
        assert not self.memory, "what is read back does not come from the disk"
        place = offset % self.size
        return bytes(self.kept[place : place + length])

    def sync(self):
        self._call("sync", None)
        for offset, octets in self.memory:
            place = offset % self.size
            self.kept[place : place + len(octets)] = octets
        self.memory.clear()

    def _call(self, name, offset):
        self.calls.append((name, offset))
        self._strike(self, name, None if offset is None else offset // CHUNK)

    def chunk(self, number):
        return bytes(self.kept[number * CHUNK :][: MANIFEST.length_of(number)])


def flash(disk, wrote=None, read=None, image=IMAGE):
    @contextmanager
    def chunks():
        yield iter(image.items())

    told = []
    writer = ImageWriter(disk, MANIFEST, chunks, wrote=wrote or told.append, read=read or told.append)
    return writer.run()


def assert_whole(disk):
    for number in range(MANIFEST.chunk_count):
        assert disk.chunk(number) == IMAGE.get(number, OLD[number * CHUNK :][: MANIFEST.length_of(number)])


def test_what_holds_something_is_written_and_nothing_else():
    disk, wrote, read = FaultyDisk(), [], []
    written = flash(disk, wrote.append, read.append)
    assert_whole(disk)
    assert (written.written_bytes, written.again) == (MANIFEST.mapped_bytes, ())
    assert sum(wrote) == sum(read) == MANIFEST.mapped_bytes


def test_the_begin_is_empty_until_all_the_rest_was_read_back():
    def strike(disk, call, number):
        if call == "write" and number not in (0, None):
            assert disk.chunk(0) == bytes(CHUNK)
        if disk.chunk(0) == IMAGE[0]:
            assert all(disk.chunk(each) == IMAGE[each] for each in IMAGE)

    disk = FaultyDisk(strike)
    flash(disk)
    writes = [offset // CHUNK for call, offset in disk.calls if call == "write"]
    assert writes == [0, 1, 2, 5, 6, 11, 19, 0]
    assert disk.calls[1] == ("sync", None)


def once(what, number, then):
    """Do something at the first such call."""
    done = []

    def strike(disk, call, at):
        if (call, at) == (what, number) and not done:
            done.append(True)
            then(disk)

    return strike


def raise_(code):
    def then(_disk):
        raise OSError(code, "")

    return then


@pytest.mark.parametrize("number", [1, 11, 19])
@pytest.mark.parametrize("call", ["write", "read"])
def test_a_chunk_that_fails_once_is_written_again(call, number):
    disk = FaultyDisk(once(call, number, raise_(errno.EIO)))
    assert flash(disk).again == (number,)
    assert_whole(disk)


@pytest.mark.parametrize("number", [1, 11, 19])
def test_a_bit_that_is_not_kept_is_found_and_written_again(number):
    def flip(disk):
        disk.kept[number * CHUNK + 17] ^= 4

    disk = FaultyDisk(once("read", number, flip))
    written = flash(disk)
    assert written.again == (number,)
    assert written.written_bytes == MANIFEST.mapped_bytes + MANIFEST.length_of(number)
    assert_whole(disk)


def test_the_first_chunk_is_written_again_too():
    bad = []

    def strike(disk, call, number):
        if call == "read" and number == 0 and disk.chunk(0) == IMAGE[0] and not bad:
            bad.append(True)
            disk.kept[3] ^= 1

    disk = FaultyDisk(strike)
    assert flash(disk).again == (0,)
    assert_whole(disk)


def test_a_sync_that_fails_once_has_all_of_it_written_again():
    syncs = []

    def strike(disk, call, number):
        if call == "sync":
            syncs.append(number)
            if len(syncs) == 2:
                disk.memory.clear()
                raise OSError(errno.EIO, "")

    disk = FaultyDisk(strike)
    assert flash(disk).again == (1, 2, 5, 6, 11, 19)
    assert_whole(disk)


def never(what, number, then):
    def strike(disk, call, at):
        if (call, at) == (what, number):
            then(disk)

    return strike


@pytest.mark.parametrize("call", ["write", "read"])
def test_a_chunk_that_fails_again_and_again_is_given_up(call):
    disk = FaultyDisk(never(call, 6, raise_(errno.EIO)))
    with pytest.raises(NotWritten, match=f"it does not keep chunk 6 of 20, after {ROUNDS} times"):
        flash(disk)
    assert disk.chunk(0) == bytes(CHUNK), "it boots nothing"
    assert len([at for name, at in disk.calls if (name, at) == ("write", 6 * CHUNK)]) <= ROUNDS


def test_many_chunks_are_not_all_named():
    def strike(disk, call, number):
        if call == "read" and number:
            disk.kept[number * CHUNK] ^= 1

    with pytest.raises(NotWritten, match="it does not keep chunks 1, 2, 5, 6, 11 and more of 20"):
        flash(FaultyDisk(strike))


@pytest.mark.parametrize("after", range(1, 19))
@pytest.mark.parametrize("code", [errno.ENODEV, errno.EIO])
def test_a_disk_that_is_removed_at_any_call(code, after):
    def strike(disk, call, number):
        if len(disk.calls) > after:
            raise OSError(code, "")

    disk = FaultyDisk(strike)
    with pytest.raises(NotWritten) as gone:
        flash(disk)
    assert "it is gone" in str(gone.value) or code == errno.EIO
    assert disk.chunk(0) in (bytes(CHUNK), OLD[:CHUNK]) or all(disk.chunk(each) == IMAGE[each] for each in IMAGE)
    assert len(disk.calls) < 80


@pytest.mark.parametrize(("code", "said"), [(errno.ENOSPC, "it has no room"), (errno.EROFS, "it is write-protected")])
def test_what_will_not_be_better_is_not_tried_again(code, said):
    disk = FaultyDisk(never("write", 2, raise_(code)))
    with pytest.raises(NotWritten, match=said):
        flash(disk)
    assert len([at for name, at in disk.calls if (name, at) == ("write", 2 * CHUNK)]) == 1


@pytest.mark.parametrize("size", [5 * CHUNK, 6 * CHUNK, 11 * CHUNK])
def test_a_card_that_is_smaller_than_it_says_is_found_out(size):
    """Writes beyond its end come back at its begin."""
    disk = FaultyDisk(size=size)
    with pytest.raises(NotWritten):
        flash(disk)
    assert disk.chunk(0) != IMAGE[0]


def test_a_card_that_goes_on_at_its_begin_is_found_out_by_its_first_chunk():
    disk = FaultyDisk(size=19 * CHUNK)
    with pytest.raises(NotWritten, match="it is smaller than it says"):
        flash(disk)


def test_an_image_that_holds_nothing_has_its_begin_made_empty():
    disk = FaultyDisk()
    empty = ImageManifest(profile="x", release="0.1.0", minimum="0.1.0", size_bytes=SIZE, chunk_bytes=CHUNK, chunks=())

    @contextmanager
    def chunks():
        yield iter(())

    ImageWriter(disk, empty, chunks, wrote=lambda _: None, read=lambda _: None).run()
    assert disk.chunk(0) == bytes(CHUNK)
