"""The settings of a network management system for the network that is up."""

import msgspec
import pytest

from chassis_emulator.network.errors import NotUp
from chassis_emulator.network.nms_settings import as_toml, nms_settings
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder, write_secret
from chassis_emulator.topology.topology import read_topology
from distribution_center.network_management.settings import NmsSettings
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
