"""A disk that is missing: nothing is written where it should be, and the others serve on."""

import asyncio
import errno
from pathlib import Path

import pytest
from click.testing import CliRunner

from blade_agent.channel_files import ChannelFiles, channels_there, require_channel
from blade_agent.cli import main
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.settings import ChannelSettings


def opened(*channels):
    """Why each of the channels has failed, None for one that works, and the folders of those that are there."""

    async def look():
        store = await SegmentStore.open(ChannelFiles(channels), [Path(channel.path) for channel in channels])
        try:
            return [channel.failure for channel in store.channels]
        finally:
            store.close()

    return asyncio.run(look()), channels_there(channels)


def test_a_folder_that_is_not_there_is_not_made_and_the_other_channel_serves(tmp_path):
    (tmp_path / "a").mkdir()
    there, missing = (ChannelSettings(path=str(tmp_path / name)) for name in "ab")
    (works, fails), usable = opened(there, missing)
    assert works is None
    assert fails
    assert usable == (tmp_path / "a",)
    assert not (tmp_path / "b").exists()


def test_nothing_is_written_where_nothing_is_mounted(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    (works, fails), usable = opened(
        ChannelSettings(path=str(tmp_path / "a")), ChannelSettings(path=str(tmp_path / "b"), mount=True)
    )
    assert works is None
    assert fails == "nothing is mounted there"
    assert usable == (tmp_path / "a",)
    assert list((tmp_path / "b").iterdir()) == []


def test_a_disk_that_goes_while_the_blade_runs_is_not_written_to(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    files = ChannelFiles([ChannelSettings(path=str(tmp_path / "a"), mount=True)])
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == tmp_path / "a")
    files.make_folder(tmp_path / "a" / "film")
    files.append(tmp_path / "a" / "film" / "0.ts").close()
    monkeypatch.setattr("os.path.ismount", lambda _: False)
    for use in (files.make_folder, files.list_folder, files.append, files.read):
        with pytest.raises(OSError, match="nothing is mounted there") as refused:
            use(tmp_path / "a" / "film")
        assert refused.value.errno == errno.ENODEV
    files.make_folder(tmp_path / "state")


def test_a_mount_point_is_one():
    require_channel(ChannelSettings(path="/", mount=True))


def test_a_blade_without_any_disk_says_so_and_does_not_start(tmp_path):
    settings = tmp_path / "blade.toml"
    settings.write_text(f"""
        slot = 1
        address = "127.0.0.1"
        backplane = "udp:127.0.0.1:6230"
        state = "{tmp_path}/state"
        channels = [{{ path = "{tmp_path}", mount = true }}, "{tmp_path}/none"]
    """)
    result = CliRunner().invoke(main, ["run", "--settings", str(settings)])
    assert result.exit_code == 1
    assert f"Error: the blade cannot run: {tmp_path}: nothing is mounted there" in result.stderr
    assert "Hint: " in result.stderr
