from pathlib import Path

from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import find_topology, read_topology


def test_addresses_follow_network_station_and_slot():
    plan = plan_network(read_topology(find_topology("two-stations")), Path("/state"))
    listening = {name: tuple(map(str, addresses)) for name, addresses in plan.listening.items()}
    assert listening["center"] == ("127.1.0.1:8081", "127.1.0.1:8080")
    assert listening["home/2"] == ("127.1.1.2:8081", "127.1.1.2:8080")
    assert listening["north/1"] == ("127.1.2.1:8081", "127.1.2.1:8080")
    assert listening["south/4"] == ("127.1.3.4:8081", "127.1.3.4:8080")
    assert listening["south/manager"] == ("127.1.3.200:8080",)
    assert len(set(listening.values())) == len(listening) == 14


def test_a_blade_is_told_its_place():
    plan = plan_network(read_topology(find_topology("one-station")), Path("/state"))
    settings = plan.blades[-1].settings("/dev/pts/9")
    assert (settings.slot, settings.address, settings.backplane) == (3, "127.2.2.3", "/dev/pts/9")
    assert settings.channels == ("/state/stations/north/3/channel-1", "/state/stations/north/3/channel-2")
    assert settings.state == "/state/stations/north/3/state"
    assert settings.service_port == "pty"


def test_no_two_processes_share_a_folder_or_a_serial_number():
    plan = plan_network(read_topology(find_topology("two-stations")), Path("/state"))
    assert len(set(plan.folders)) == len(plan.folders)
    assert len({blade.serial_number for blade in plan.blades}) == len(plan.blades)
