import os
import stat

import pytest

from blade_agent.backplane.role import HIGHEST_EPOCH
from blade_agent.chassis_manager.keeping.epoch_file import keep_epoch, read_epoch
from media_network.durable_file import DurableFile


def test_what_was_kept_is_read(tmp_path):
    path = tmp_path / "state" / "epoch"
    assert read_epoch(path) == 0
    for epoch in (1, 2, 40_000, HIGHEST_EPOCH):
        keep_epoch(path, epoch)
        assert read_epoch(path) == epoch
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["epoch", "epoch.before"]


@pytest.mark.parametrize(
    "content", [b"", b"seven\n", b"-1\n", b"1 2\n", b"4294967296\n", b"9" * 5_000 + b"\n", b"07\n"]
)
def test_something_else_is_no_epoch_and_the_one_after_the_former_is(tmp_path, content):
    path = tmp_path / "epoch"
    DurableFile(path, bytes, rebuilt="").keep(content)
    assert read_epoch(path) == 0
    assert content in (tmp_path / "epoch.damaged-1").read_bytes()
    keep_epoch(path, 7)
    DurableFile(path, bytes, rebuilt="").keep(content)
    assert read_epoch(path) == 8, "epoch 8 may have had a director"


def test_the_name_changes_only_after_the_bytes_are_on_disk_and_the_folder_is_last(tmp_path, monkeypatch):
    """Watch the real calls: a file synced with the new epoch in it, then the renames, then the folder."""
    path, seen = tmp_path / "epoch", []
    keep_epoch(path, 1)
    fsync = os.fsync

    def watched(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append(("folder" if folder else "file", read_epoch(path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    keep_epoch(path, 2)
    assert seen == [("file", 1), ("folder", 2)]
