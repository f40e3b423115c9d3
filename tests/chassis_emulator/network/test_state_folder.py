import os
import stat

import pytest

from chassis_emulator.network.credentials import network_users
from chassis_emulator.network.errors import AnotherIsUp, StateFolderError
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology
from tests.damages import DAMAGES


def test_only_one_takes_it_and_lookers_do_not_count(tmp_path):
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    assert not folder.is_up()
    lock = folder.take()
    assert folder.is_up()
    with pytest.raises(AnotherIsUp, match=rf"\(process {os.getpid()}\)"):
        folder.take()
    os.close(lock)
    assert not folder.is_up()
    os.close(folder.take())


def test_secrets_are_the_owners(tmp_path):
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    assert stat.S_IMODE(folder.credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.read_credentials() == {}
    folder.credentials.chmod(0o644)
    folder.credentials.write_text('{"ipmi": {"user": "a", "password": "b"}}')
    folder.prepare()
    assert stat.S_IMODE(folder.credentials.stat().st_mode) == 0o600
    assert folder.read_credentials()["ipmi"]["user"] == "a"


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateFolderError, match=str(tmp_path / "state")):
        StateFolder(tmp_path / "state").prepare()


def test_the_record_is_read_as_written_and_a_torn_one_is_none(tmp_path):
    folder = StateFolder(tmp_path)
    topology = read_topology(find_topology("one-station"))
    record = NetworkRecord(network=2, name="x", center="127.2.0.1:8080", pid=1, boot="b", topology=topology)
    assert folder.record() is None
    folder.write_record(record)
    assert folder.record() == record
    (tmp_path / "network.json").write_text('{"network":')
    assert folder.record() is None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["credentials.json", "network.json"])
def test_what_is_damaged_is_set_aside_and_said_and_made_anew(tmp_path, caplog, name, damage):
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    lock = folder.take()
    topology = read_topology(find_topology("one-station"))
    record = NetworkRecord(network=2, name="x", center="127.2.0.1:8080", pid=1, boot="b", topology=topology)
    folder.write_record(record)
    first = network_users(folder, topology)
    folder.set_damaged_aside()
    assert caplog.records == []
    assert network_users(folder, topology) == first
    path, before = folder.path / name, (folder.path / name).read_bytes()
    damage(path)
    if path.is_file() and path.read_bytes().strip() == before.strip():
        return  # a line feed less
    folder.prepare()
    folder.set_damaged_aside()
    folder.write_record(record)
    assert folder.record() == record
    again = network_users(folder, topology)
    readable = name == "network.json" or not list(folder.path.glob("*.damaged-1"))
    assert (again == first) == readable or damage is DAMAGES["a bit in the middle"]
    assert stat.S_IMODE(folder.credentials.stat().st_mode) == 0o600
    folder.set_damaged_aside()
    assert len(caplog.records) == len(list(folder.path.glob("*.damaged-*"))) <= 1
    os.close(lock)
