"""The tool sees what it is for: each of these slips in a copy of the code has lost what was acknowledged somewhere."""

import asyncio
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from blade_agent.main_board.engine.store import reception
from distribution_center.content import segment_folder
from distribution_center.content.providers import download
from distribution_center.registry import sqlite_connection, sqlite_repository
from distribution_center.registry.repository import Verdict
from media_network import durable_file, files
from media_network.callback import do_nothing
from tests.power_cut.cutting import cut_everywhere
from tests.power_cut.table import DURABLE

BY_NAME = {durable.name: durable for durable in DURABLE}
DRAWN = 1


@contextmanager
def no_sync_of_files():
    with patch.object(files._DiskFile, "sync", do_nothing):
        yield


@contextmanager
def no_sync_of_folders():
    with patch.object(files, "_sync_folder", do_nothing):
        yield


@contextmanager
def rename_before_sync():
    """The name first, the content when it has it."""

    def keep(self, octets):
        disk = self._files
        disk.make_folder(self.path.parent)
        new = self._beside(".new")
        file = disk.append(new)
        file.write(octets + durable_file._CHECKSUM % durable_file.zlib.crc32(octets))
        disk.rename(new, self.path)
        disk.sync_folder(self.path.parent)
        file.sync()
        file.close()

    with patch.object(durable_file.DurableFile, "keep", keep):
        yield


@contextmanager
def written_in_place():
    def keep(self, octets):
        self._files.make_folder(self.path.parent)
        with self.path.open("wb") as file:
            file.write(octets + durable_file._CHECKSUM % durable_file.zlib.crc32(octets))
            file.flush()
            files.os.fsync(file.fileno())
        self._files.sync_folder(self.path.parent)

    with patch.object(durable_file.DurableFile, "keep", keep):
        yield


@contextmanager
def the_one_before_is_removed_first():
    kept = durable_file.DurableFile.keep

    def keep(self, octets):
        self.path.unlink(missing_ok=True)
        kept(self, octets)

    with patch.object(durable_file.DurableFile, "keep", keep):
        yield


@contextmanager
def commits_are_not_synced():
    """`synchronous` is normal: in WAL mode a file that is whole, and lacks the last commits."""
    opened = sqlite_connection.open_writer

    def open_writer(path):
        connection = opened(path)
        connection.pragma("synchronous", "normal")
        return connection

    with patch.object(sqlite_repository, "open_writer", open_writer):
        yield


@contextmanager
def acknowledged_before_the_commit():
    """The answer goes out, and the commit begins when whoever was answered has had time to count on it."""

    async def commit(self, writes):
        asyncio.get_running_loop().call_later(0.005, sqlite_repository.SqliteStore._commit, self, writes)
        return [Verdict.ACCEPTED] * len(writes)

    close = sqlite_repository.SqliteStore.close

    async def close_later(self):
        await asyncio.sleep(0.1)
        await close(self)

    with (
        patch.object(sqlite_repository.SqliteStore, "commit", commit),
        patch.object(sqlite_repository.SqliteStore, "close", close_later),
    ):
        yield


@contextmanager
def held_before_it_is_synced():
    """A segment gets its name, and its bytes a while later, perhaps."""

    def commit(self):
        disk, folder = self.channel.files, self.channel.folder
        self._close()
        disk.make_folder(reception.cut_path(folder, self.key.cut))
        self.channel.cuts.add(self.key.cut)
        held = reception.segment_path(folder, self.key, reception.content_of(self.segment))
        disk.rename(self.partial, held)
        disk.sync_folder(reception.cut_path(folder, self.key.cut))
        self.stored = True

    with patch.object(reception.SegmentReception, "_commit", commit):
        yield


@contextmanager
def resumed_from_what_is_there():
    """The whole part is believed, and not what is durable of it."""
    with patch.object(download.os, "truncate", do_nothing):
        yield


@contextmanager
def segments_are_not_synced():
    with patch.object(segment_folder, "os", SimpleNamespace(fsync=do_nothing)):
        yield


@pytest.mark.parametrize(
    ("slip", "name"),
    [
        (no_sync_of_files, "small file"),
        (no_sync_of_files, "segment store"),
        (no_sync_of_folders, "small file without the one before"),
        (no_sync_of_folders, "segment tables of a blade"),
        (no_sync_of_files, "ingests"),
        (no_sync_of_folders, "catalogue of a blade"),
        (rename_before_sync, "epoch"),
        (rename_before_sync, "SNMP engine"),
        (written_in_place, "journal"),
        (the_one_before_is_removed_first, "small file without the one before"),
        (commits_are_not_synced, "registry"),
        (acknowledged_before_the_commit, "registry"),
        (held_before_it_is_synced, "segment store"),
        (segments_are_not_synced, "spool"),
        (resumed_from_what_is_there, "download"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.__name__,
)
def test_a_slip_is_seen(slip, name, tmp_path: Path):
    with ExitStack() as slipping:
        slipping.enter_context(slip())
        with pytest.raises(AssertionError, match=f"{name}: power cut after"):
            cut_everywhere(BY_NAME[name], tmp_path, drawn=DRAWN)
