"""The settings of a network management system for the network that is up."""

import msgspec
import pytest
from msgspec.structs import replace

from chassis_emulator.network.credentials import network_users
from chassis_emulator.network.errors import NotUp
from chassis_emulator.network.nms_settings import as_toml, nms_settings
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology
from distribution_center.network_management.settings import NmsSettings
from media_network.secret_file import write_secret
from media_network.settings import read_settings
from tests.laptop import topology

TARGETS = """snmp:
  targets:
    - {address: "127.0.0.1:9162", community: public}
    - {address: "127.0.0.9:1162", inform: true}
"""


@pytest.fixture
def folder(tmp_path):
    """Of a network, as it is while one is up."""

    def prepared(more=""):
        plan = tmp_path / "topology.yaml"
        plan.write_text(topology(70, ("home", 2), ("north", 4)) + more)
        known = StateFolder(tmp_path / 'with "quotes" and spaces')
        known.prepare()
        record = NetworkRecord(
            network=70, name="test", center="127.70.0.1:8081", pid=1, boot="b", topology=read_topology(plan)
        )
        known.write_record(record)
        return known

    return prepared


def test_what_is_written_is_what_is_read(folder):
    known = folder()
    lock = known.take()
    settings = nms_settings(known, 8070)
    assert msgspec.toml.decode(as_toml(settings, known.path), type=NmsSettings) == settings
    assert settings.chassis == {"home": "127.70.1.254:1161", "north": "127.70.2.254:1161"}
    assert settings.centers == ("127.70.0.1:8081",)
    assert settings.user.group == "read-only"
    assert settings.notifications_port == 0
    assert lock


def test_it_listens_where_the_agents_tell(folder):
    known = folder(TARGETS)
    lock = known.take()
    settings = nms_settings(known, 8070)
    assert (settings.address, settings.notifications_port) == ("127.0.0.9", 1162)
    assert lock


def test_without_a_network_there_is_nothing_to_see(folder):
    with pytest.raises(NotUp):
        nms_settings(folder(), 8070)


def test_a_secret_is_never_readable_for_others(tmp_path):
    path = tmp_path / "nms.toml"
    path.write_text("old")
    path.chmod(0o644)
    path.with_name("nms.toml.new").write_text("left behind")
    path.with_name("nms.toml.new").chmod(0o666)
    write_secret(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_several_centers_have_users_of_their_own(tmp_path):
    known = StateFolder(tmp_path / "several")
    known.prepare()
    lock = known.take()
    topology = read_topology(find_topology("headquarters"))
    center = "127.4.0.1:8081"
    record = NetworkRecord(network=4, name="headquarters", center=center, pid=1, boot="b", topology=topology)
    known.write_record(record)
    settings = nms_settings(known, 8070)
    path = tmp_path / "nms.toml"
    write_secret(path, as_toml(settings, known.path))
    assert read_settings(path, NmsSettings) == settings
    assert settings.centers == ()
    assert list(settings.watched) == ["main", "east", "west"]
    assert settings.headquarters == "127.4.0.1:1163"
    assert settings.watched["east"].chassis == {
        "home": "127.4.4.254:1161",
        "north": "127.4.5.254:1161",
        "coast": "127.4.6.254:1161",
    }
    users = [settings.user_at(name) for name in settings.watched]
    assert {user.user for user in users} == {"reader"}
    assert len({user.auth_password for user in users}) == len({user.priv_password for user in users}) == 3
    # The headquarters has the users that the network had before there were other centers.
    assert network_users(known, replace(topology, other_centers=()))["main"].snmp.read_only == users[0]
    assert lock
