"""The simulated disk: a file system as the machine's own, and the truth of a power cut."""

import asyncio
import errno
import random
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.simulation.disk import Disk
from chassis_emulator.simulation.loop import SimulatedLoop
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.simulation.trace import Trace
from media_network.files import DiskFiles

ROOT = Path("/store")


def make_disk(mounted_at: Path = ROOT, **options) -> Disk:
    loop = SimulatedLoop(random.Random(1))
    loop.close()
    return Disk(loop, Trace(), random.Random(1), mounted_at=mounted_at, **options)


def read(files, path: Path) -> bytes:
    with files.read(path) as file:
        return file.read()


def write(files, path: Path, content: bytes, *, sync: bool = True) -> None:
    file = files.append(path)
    file.write(content)
    if sync:
        file.sync()
    file.close()


def use(files, root: Path) -> list[object]:
    """What a program sees that uses a file system."""
    seen: list[object] = []

    def note(call, *arguments) -> None:
        try:
            seen.append(call(*arguments))
        except OSError as error:
            seen.append(errno.errorcode[error.errno] if error.errno else type(error).__name__)

    files.make_folder(root / "a" / "b")
    files.make_folder(root / "a" / "b")
    write(files, root / "a" / "one", b"12345")
    write(files, root / "a" / "one", b"678")
    write(files, root / "a" / "two", b"abc")
    note(files.list_folder, root / "a")
    note(files.length_bytes, root / "a" / "one")
    note(read, files, root / "a" / "one")
    note(files.rename, root / "a" / "one", root / "a" / "b" / "three")
    note(files.rename, root / "a" / "two", root / "a" / "b" / "three")
    note(read, files, root / "a" / "b" / "three")
    file = files.read(root / "a" / "b" / "three")
    note(files.remove, root / "a" / "b" / "three")
    note(file.read)
    note(file.seek, 1)
    note(file.read, 1)
    file.close()
    note(files.list_folder, root / "a" / "b")
    for call in (files.length_bytes, files.read, files.remove, files.list_folder, files.sync_folder):
        note(call, root / "a" / "gone")
    note(files.rename, root / "a" / "gone", root / "a" / "found")
    note(files.append, root / "gone" / "file")
    note(files.append, root / "a")
    return seen


def test_it_is_used_as_the_file_system_of_this_machine(tmp_path):
    assert use(make_disk(), ROOT) == use(DiskFiles(), tmp_path)


def test_a_full_disk_takes_what_fits_and_refuses_the_rest():
    disk = make_disk(capacity_bytes=1000)
    with pytest.raises(OSError, match="space") as caught:
        write(disk, ROOT / "file", bytes(1001))
    assert caught.value.errno == errno.ENOSPC
    assert disk.length_bytes(ROOT / "file") == 1000
    assert disk.free_bytes(ROOT) == 0
    disk.remove(ROOT / "file")
    assert disk.free_bytes(ROOT) == 1000


def test_a_failed_disk_answers_with_errors():
    disk = make_disk()
    write(disk, ROOT / "file", b"abc")
    disk.failure = errno.EIO
    with pytest.raises(OSError, match="Input"):
        disk.list_folder(ROOT)
    disk.failure = None
    assert read(disk, ROOT / "file") == b"abc"


def test_calls_take_their_time_a_slow_disk_more_and_a_hung_one_for_ever():
    async def timed(simulation: Simulation, disk: Disk) -> float:
        began_s = simulation.loop.time()
        await simulation.loop.run_in_executor(None, write, disk, ROOT / "file", bytes(1_000_000))
        return simulation.loop.time() - began_s

    with Simulation(1) as simulation:
        disk = simulation.disk("disk", simulation.host("127.1.1.2"), ROOT, rate_bytes_s=1e6)
        assert simulation.run_until_complete(timed(simulation, disk)) == pytest.approx(1.0, abs=0.05)
        disk.slowness = 10
        assert simulation.run_until_complete(timed(simulation, disk)) == pytest.approx(10, abs=0.5)
        disk.hangs = True
        with pytest.raises(TimeoutError):
            simulation.run_until_complete(asyncio.wait_for(timed(simulation, disk), 1000))


def test_a_crash_keeps_what_was_written_and_a_power_cut_loses_it():
    def contents(stop) -> set[bytes | None]:
        survived: set[bytes | None] = set()
        for seed in range(40):
            with Simulation(seed) as simulation:
                host = simulation.host("127.1.1.2")
                disk = simulation.disk("disk", host, ROOT)

                async def program(disk: Disk = disk) -> None:
                    write(disk, ROOT / "file", b"abc", sync=False)

                simulation.start(host, program)
                simulation.run(until_s=1)
                stop(simulation, host)
                survived.add(read(disk, ROOT / "file") if disk.list_folder(ROOT) else None)
        return survived

    assert contents(Simulation.crash) == {b"abc"}
    assert {None, b"", b"abc"} < contents(Simulation.power_cut)


def test_files_that_were_open_at_a_power_cut_are_of_no_use():
    disk = make_disk()
    file = disk.append(ROOT / "file")
    disk.power_cut(random.Random(1))
    with pytest.raises(OSError, match="device"):
        file.write(b"late")


FOLDERS = st.sampled_from([PurePath("x"), PurePath("y")])
NAMES = st.sampled_from("abc")
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), FOLDERS, NAMES, st.binary(min_size=1, max_size=9)),
        st.tuples(st.just("sync"), FOLDERS, NAMES),
        st.tuples(st.just("rename"), FOLDERS, NAMES, FOLDERS, NAMES),
        st.tuples(st.just("remove"), FOLDERS, NAMES),
        st.tuples(st.just("sync folder"), FOLDERS),
    ),
    max_size=30,
)


class Model:
    """What must be true after a power cut, told in plain words: names as last synced, contents as last synced."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.names: dict[PurePath, int] = {}
        self.contents: list[bytes] = []
        self.synced_bytes: list[int] = []
        self.settled: dict[PurePath, int | None] = {}
        """Names that no change has touched since their folder was synced: the file they name, or None."""

    def do(self, what: str, folder: PurePath, *rest) -> None:
        path = folder / rest[0] if rest else folder
        if what == "sync folder":
            self.disk.sync_folder(ROOT / folder)
            self.settled.update({folder / name: self.names.get(folder / name) for name in "abc"})
        elif what == "write":
            self.write(path, rest[1])
        elif path in self.names:
            {"sync": self.sync, "rename": self.rename, "remove": self.remove}[what](path, *rest[1:])

    def write(self, path: PurePath, content: bytes) -> None:
        write(self.disk, ROOT / path, content, sync=False)
        if path not in self.names:
            self.names[path] = len(self.contents)
            self.contents.append(b"")
            self.synced_bytes.append(0)
            self.settled.pop(path, None)
        self.contents[self.names[path]] += content

    def sync(self, path: PurePath) -> None:
        write(self.disk, ROOT / path, b"")
        self.synced_bytes[self.names[path]] = len(self.contents[self.names[path]])

    def rename(self, path: PurePath, folder: PurePath, name: str) -> None:
        self.disk.rename(ROOT / path, ROOT / folder / name)
        self.names[folder / name] = self.names.pop(path)
        self.settled.pop(path, None)
        self.settled.pop(folder / name, None)

    def remove(self, path: PurePath) -> None:
        self.disk.remove(ROOT / path)
        del self.names[path]
        self.settled.pop(path, None)


@settings(max_examples=300, deadline=None)
@given(OPERATIONS, st.integers())
def test_what_was_synced_survives_a_power_cut(operations, seed):
    disk = make_disk()
    for folder in ("x", "y"):
        disk.make_folder(ROOT / folder)
    disk.sync_folder(ROOT)
    model = Model(disk)
    for operation in operations:
        model.do(*operation)
    disk.power_cut(random.Random(seed))
    for path, number in model.settled.items():
        present = path.name in disk.list_folder(ROOT / path.parent)
        assert present == (number is not None), path
        if number is not None:
            survived, synced = read(disk, ROOT / path), model.synced_bytes[number]
            assert survived[:synced] == model.contents[number][:synced]
            assert synced <= len(survived) <= len(model.contents[number])
    for folder in ("x", "y"):
        for name in disk.list_folder(ROOT / folder):
            assert any(len(read(disk, ROOT / folder / name)) <= len(content) for content in model.contents), (
                "a file out of nothing"
            )
