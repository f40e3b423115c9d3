"""Small files that are replaced whole, by their real writers and readers."""

import asyncio
import hashlib
import os
from contextlib import ExitStack, contextmanager
from random import Random

from blade_agent.boot.boot_copies import BootCopies, NoBootState
from blade_agent.boot.boot_record import SECTOR_BYTES
from blade_agent.boot.boot_state import BootState, SystemSlot, apply, begin, boot, commit, rollback, stage
from blade_agent.boot.release import Release
from blade_agent.chassis_manager.keeping.epoch_file import keep_epoch, read_epoch
from blade_agent.chassis_manager.keeping.journal import Journal, SlotEntry, journal_octets
from blade_agent.chassis_manager.keeping.keeper import Keeper
from blade_agent.flashing.open_disk import OpenDisk, opened_disk
from blade_agent.flashing.writing import ImageWriter
from blade_agent.image.manifest import ImageManifest, runs_of
from blade_agent.main_board.accounts.kept_rows import KeptRows, Row
from blade_agent.main_board.issuer_keys import IssuerKeys
from blade_agent.profiled_board.kept_file import KeptFile
from blade_agent.updating.staging import Staging
from media_network.callback import do_nothing
from media_network.durable_file import DurableFile
from media_network.files import DiskFiles
from media_network.snmp.engine_file import start_engine
from media_network.tokens.keys import Algorithm, KeySet, SigningKey, encode_jwks
from media_network.tokens.settings import TokenSettings

_TIMES = 4


def _value_file(folder, *, keeps_before):
    return DurableFile(folder / "state" / "value", bytes.decode, rebuilt="", keeps_before=keeps_before)


def write_values(folder, record, *, keeps_before=True):
    file = _value_file(folder, keeps_before=keeps_before)
    for number in range(_TIMES):
        fact = f"value {number} " + "x" * number * 3000
        record.begin(fact)
        file.keep(fact.encode())
        record.acknowledge(fact)


def read_value(folder, *, keeps_before=True):
    file = _value_file(folder, keeps_before=keeps_before)
    found = file.read().value
    # Whoever reads it goes on, and what it keeps then is there, too.
    file.keep(b"and on")
    assert file.read().value == "and on"
    return found


def write_values_alone(folder, record):
    write_values(folder, record, keeps_before=False)


def read_value_alone(folder):
    return read_value(folder, keeps_before=False)


def write_epochs(folder, record):
    for epoch in range(1, _TIMES + 1):
        record.begin(epoch)
        keep_epoch(folder / "state" / "epoch", epoch)
        record.acknowledge(epoch)


def look_at_epoch(folder):
    return read_epoch(folder / "state" / "epoch") or None


def _journal(number):
    return Journal(slots={slot: SlotEntry(desired_power="off") for slot in range(1, number + 1)})


class _Ordering:
    """A chassis of which one thing after the other is ordered."""

    epoch_to_keep = staticmethod(do_nothing)
    all_orders_kept = True
    keep_due = None

    def __init__(self, record, keeper):
        self._record, self._keeper = record, keeper
        self._number = 0
        self.done = asyncio.Event()

    def journal_to_keep(self, now):
        if self._number == _TIMES:
            return None
        self._number += 1
        self._record.begin(_journal(self._number))
        return journal_octets(_journal(self._number))

    def journal_kept(self):
        self._record.acknowledge(_journal(self._number))
        if self._number == _TIMES:
            self.done.set()
        self._keeper.look()


def _keeper(folder):
    return Keeper(folder / "state" / "epoch", folder / "state" / "journal.json")


def write_journals(folder, record):
    async def order():
        keeper = _keeper(folder)
        await keeper.read()
        chassis = _Ordering(record, keeper)
        keeping = asyncio.create_task(keeper.run(chassis, do_nothing))
        keeper.look()
        await chassis.done.wait()
        keeping.cancel()

    asyncio.run(order())


def look_at_journal(folder):
    _, journal = asyncio.run(_keeper(folder).read())
    return journal if journal.slots else None


async def _kept(folder):
    return await KeptFile.open(DiskFiles(), folder / "state" / "events", rebuilt="the event log begins anew")


def write_octets(folder, record):
    async def write():
        kept = await _kept(folder)
        for number in range(_TIMES):
            fact = bytes([number]) * (number + 1) * 700
            record.begin(fact)
            kept.keep(fact)
            await kept.settle()
            record.acknowledge(fact)

    asyncio.run(write())


def look_at_octets(folder):
    kept = asyncio.run(_kept(folder))
    assert kept.works
    return kept.read() or None


def start_engines(folder, record):
    for boots in range(1, _TIMES + 1):
        record.begin(boots)
        identity = start_engine(folder / "state", Random(1))
        assert identity.boots == boots
        record.acknowledge(boots)


def start_again(folder):
    """How many starts there have been, this one included: none may have the number of one before."""
    return start_engine(folder / "state", Random(1)).boots


def _issuer_keys(folder):
    return IssuerKeys(TokenSettings(server="127.0.0.1:1"), folder / "state", DiskFiles(), Random(1), "127.0.0.1")


def write_issuer_keys(folder, record):
    keys = _issuer_keys(folder)
    for number in range(_TIMES):
        public = [SigningKey.generate(Algorithm.ED25519).public()]
        fact = [key.kid for key in public]
        record.begin(fact)
        asyncio.run(keys._take(KeySet.parse(encode_jwks(public)), 1_800_000_000.0 + number))
        record.acknowledge(fact)


def read_issuer_keys(folder):
    keys = _issuer_keys(folder)
    asyncio.run(keys._load())
    found = list(keys.keys)
    octets = encode_jwks([SigningKey.generate(Algorithm.ED25519).public()])
    asyncio.run(keys._take(KeySet.parse(octets), 1_900_000_000.0))
    return found or None


def _kept_rows(folder):
    return KeptRows(DiskFiles(), folder / "state" / "rows.sqlite", "nothing")


def write_rows(folder, record):
    """Records of an outbox come, are delivered, and a counter is replaced with each."""
    file, fact = _kept_rows(folder), {}
    first = [Row("usage", "s/1/0", b"188"), Row("counted", "boot", b"188")]
    for rows, removed in (
        (first, ()),
        ([Row("usage", "s/1/1", b"x" * 3000), Row("counted", "boot", b"3188")], ()),
        ((), first),  # of which the counter is another one by now
        ([Row("usage", "s/1/2", b"7")], ()),
    ):
        gone = {(row.kind, row.key) for row in removed if fact.get((row.kind, row.key)) == row.octets}
        fact = {name: octets for name, octets in fact.items() if name not in gone}
        fact |= {(row.kind, row.key): row.octets for row in rows}
        record.begin(fact)
        if removed:
            file.remove(removed)
        else:
            file.keep(rows)
        record.acknowledge(fact)


def read_rows(folder):
    file = _kept_rows(folder)
    file.take_stock()
    found = {(row.kind, row.key): row.octets for kind in ("usage", "counted") for row in file.first(kind)}
    file.keep([Row("usage", "later", b"1")])
    return found or None


_OLD, _NEW = Release(0, 1, 0), Release(0, 2, 0)
_COPIES = (0, 2 * SECTOR_BYTES)


def write_boot_states(folder, record):
    """An update that is given up, and another that is committed: all moves that write."""
    path = folder / "boot-state"
    first = BootState(good=SystemSlot.A, good_release=_OLD, minimum=_OLD)
    record.begin(first)
    DiskFiles().append(path).write(bytes(4 * SECTOR_BYTES))
    copies = BootCopies(path, _COPIES)
    copies.begin(first)
    DiskFiles().sync_folder(folder)
    record.acknowledge(first)
    trying = (begin, lambda state: stage(state, _NEW, _NEW), apply, lambda state: boot(state)[1])
    for move in (*trying, rollback, *trying, lambda state: commit(state, SystemSlot.B)):
        fact = move(copies.read())
        record.begin(fact)
        copies.change(move)
        record.acknowledge(fact)


def read_boot_state(folder):
    """As an agent finds it; it goes on with what it found."""
    try:
        copies = BootCopies(folder / "boot-state", _COPIES)
        found = copies.read()
        copies.change(lambda state: boot(state)[1])
        assert copies.read() == boot(found)[1]
    except (FileNotFoundError, NoBootState):
        return None
    return found


_CHUNK = 4096
_SYSTEMS = [{number: Random(seed + number).randbytes(_CHUNK) for number in (0, 1, 3)} for seed in (100, 200)]


def _manifest(chunks, **said):
    return ImageManifest(
        profile="board",
        minimum="0.1.0",
        size_bytes=4 * _CHUNK,
        chunk_bytes=_CHUNK,
        chunks=runs_of({at: hashlib.sha256(octets).hexdigest() for at, octets in chunks.items()}),
        **said,
    )


def _opening(chunks):
    @contextmanager
    def opened():
        yield iter(chunks.items())

    return opened


def flash_disk(folder, record):
    """A system onto a disk that is new, and another one onto it."""
    for number, chunks in enumerate(_SYSTEMS):
        manifest, opened = _manifest(chunks, release="0.1.0"), _opening(chunks)
        record.begin(number)
        with ExitStack() as stack:
            if number:
                descriptor = os.open(folder / "disk", os.O_RDWR)
                stack.callback(os.close, descriptor)
                disk = OpenDisk(descriptor, block=False)
            else:
                disk = stack.enter_context(opened_disk(folder / "disk", manifest.size_bytes, block=False))
            ImageWriter(disk, manifest, opened, wrote=do_nothing, read=do_nothing).run()
        DiskFiles().sync_folder(folder)
        record.acknowledge(number)


def look_at_flashed(folder):
    """Which system a board would boot: the one whose begin is there, and then all of it is."""
    try:
        content = (folder / "disk").read_bytes()
    except FileNotFoundError:
        return None
    for number, chunks in enumerate(_SYSTEMS):
        if content[:_CHUNK] == chunks[0]:
            assert all(content[at * _CHUNK :][:_CHUNK] == octets for at, octets in chunks.items()), "half a system"
            return number
    return None


_RELEASES = ("0.2.0", "0.3.0")


def _staging(folder):
    copies = BootCopies(folder / "boot-state", _COPIES)
    paths = {slot: folder / f"system-{slot.value}" for slot in SystemSlot}
    return copies, Staging(copies, paths.__getitem__, running=SystemSlot.A, profile="board")


def write_updates(folder, record):
    """Two updates that are staged, tried and given up, one after the other in the same slot."""
    copies, staging = _staging(folder)
    for name, length in (("boot-state", 4 * SECTOR_BYTES), ("system-a", 4 * _CHUNK), ("system-b", 4 * _CHUNK)):
        file = DiskFiles().append(folder / name)
        file.write(bytes(length))
        file.sync()
    copies.begin(BootState(good=SystemSlot.A, good_release=_OLD, minimum=_OLD))
    DiskFiles().sync_folder(folder)
    for release, chunks in zip(_RELEASES, _SYSTEMS, strict=True):
        manifest = _manifest(chunks, release=release, kind="system")
        steps = {
            "staged": lambda m=manifest, c=chunks: staging.write(m, _opening(c), wrote=do_nothing, read=do_nothing),
            "pending": lambda: copies.change(apply),
            "failed": lambda: copies.change(rollback),
        }
        for standing, step in steps.items():
            record.begin((standing, release))
            step()
            record.acknowledge((standing, release))


def read_update(folder):
    """What is in the other slot: a whole update where the boot state says that there is one."""
    copies, _ = _staging(folder)
    try:
        state = copies.read()
    except (FileNotFoundError, NoBootState):
        return None
    if state.other_release is None:
        return None
    content = (folder / "system-b").read_bytes()
    chunks = _SYSTEMS[_RELEASES.index(str(state.other_release))]
    assert all(content[at * _CHUNK :][:_CHUNK] == octets for at, octets in chunks.items()), "half an update"
    return (state.other.value, str(state.other_release))
