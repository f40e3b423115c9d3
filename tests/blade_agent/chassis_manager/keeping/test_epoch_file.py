import os
import stat

import pytest

from blade_agent.chassis_manager.keeping.epoch_file import EpochFileError, keep_epoch, read_epoch


def test_what_was_kept_is_read(tmp_path):
    path = tmp_path / "state" / "epoch"
    assert read_epoch(path) == 0
    for epoch in (1, 2, 40_000):
        keep_epoch(path, epoch)
        assert read_epoch(path) == epoch
    assert [entry.name for entry in path.parent.iterdir()] == ["epoch"]


@pytest.mark.parametrize("content", [b"", b"seven", b"-1", b"1 2"])
def test_something_else_in_the_file_is_named(tmp_path, content):
    path = tmp_path / "epoch"
    path.write_bytes(content)
    with pytest.raises(EpochFileError, match=str(path)) as caught:
        read_epoch(path)
    assert caught.value.content == content


def test_the_name_changes_only_after_the_bytes_are_on_disk_and_the_folder_is_last(tmp_path, monkeypatch):
    """Watch the real calls: a file synced with the new epoch in it, then the rename, then the folder."""
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


def test_when_the_new_epoch_cannot_be_written_the_former_is_still_kept(tmp_path):
    path = tmp_path / "epoch"
    keep_epoch(path, 1)
    (tmp_path / "epoch.new").mkdir()
    with pytest.raises(IsADirectoryError):
        keep_epoch(path, 2)
    assert read_epoch(path) == 1
