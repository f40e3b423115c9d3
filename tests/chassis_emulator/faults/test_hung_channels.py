"""A channel that hangs: whoever calls waits until it does no more, and nobody else does."""

import asyncio

import pytest

from blade_agent.settings import ChannelSettings
from chassis_emulator.faults.hung_channels import HangingFiles, hang

WAITS = {
    "make_folder": lambda files, a: files.make_folder(a / "folder"),
    "sync_folder": lambda files, a: files.sync_folder(a),
    "list_folder": lambda files, a: files.list_folder(a),
    "length_bytes": lambda files, a: files.length_bytes(a / "there"),
    "free_bytes": lambda files, a: files.free_bytes(a),
    "append": lambda files, a: files.append(a / "new").close(),
    "read": lambda files, a: files.read(a / "there").close(),
    "rename": lambda files, a: files.rename(a / "there", a / "other"),
    "remove": lambda files, a: files.remove(a / "there"),
}


@pytest.fixture
def channels(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "there").write_bytes(b"content")
    return tmp_path / "a", tmp_path / "b"


def files_of(*folders):
    return HangingFiles([ChannelSettings(path=str(folder)) for folder in folders])


async def waits_for(channel, work):
    """That work on a channel that hangs ends when it does no more; what it gave."""
    hang(channel, hangs=True)
    working = asyncio.create_task(asyncio.to_thread(work))
    await asyncio.sleep(0.1)
    assert not working.done()
    hang(channel, hangs=False)
    return await working


@pytest.mark.parametrize("call", WAITS)
def test_every_call_waits(channels, call):
    a, b = channels
    files = files_of(a, b)
    asyncio.run(waits_for(a, lambda: WAITS[call](files, a)))


def test_what_is_open_waits_too_and_its_bytes_are_those_of_the_file(channels):
    async def story():
        a, b = channels
        files = files_of(a, b)
        with files.read(a / "there") as file:
            file.seek(3)
            assert await waits_for(a, file.read) == b"tent"
            assert file.fileno() > 0
        writing = files.append(a / "there")
        await waits_for(a, lambda: writing.write(b"s"))
        await waits_for(a, writing.sync)
        writing.close()
        assert (a / "there").read_bytes() == b"contents"

    asyncio.run(story())


def test_another_channel_and_what_is_on_none_do_not_wait(channels, tmp_path):
    a, b = channels
    files = files_of(a, b)
    hang(a, hangs=True)
    assert files.list_folder(b) == ["there"]
    assert "a.hangs" in files.list_folder(tmp_path)
    hang(b, hangs=False)
    hang(b, hangs=False)
