from pathlib import Path

from msgspec.structs import replace

from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import find_topology, read_topology
from distribution_center.distances import Distances


def test_addresses_follow_network_station_and_slot():
    plan = plan_network(read_topology(find_topology("two-stations")), Path("/state"))
    listening = {name: tuple(map(str, addresses)) for name, addresses in plan.listening.items()}
    assert listening["center"] == ("127.1.0.1:8081", "127.1.0.1:8080", "127.1.0.1:8082")
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


def test_a_blade_is_told_its_zone_and_the_center_the_distances():
    plan = plan_network(read_topology(find_topology("two-stations")), Path("/state"))
    zones = {blade.station: blade.settings("/dev/pts/9").zone for blade in plan.blades}
    assert zones == {"home": "hamburg", "north": "hamburg", "south": "berlin"}
    distances = Distances(plan.center.distances)
    assert distances.km("hamburg", "berlin") == distances.km("berlin", "hamburg") == 255
    assert distances.km("hamburg", "hamburg") == 0
    assert distances.km("hamburg", "elsewhere") == 1000


def test_no_two_processes_share_a_folder_or_a_serial_number():
    plan = plan_network(read_topology(find_topology("two-stations")), Path("/state"))
    assert len(set(plan.folders)) == len(plan.folders)
    assert len({blade.serial_number for blade in plan.blades}) == len(plan.blades)


def headquarters():
    return plan_network(read_topology(find_topology("headquarters")), Path("/state"))


def test_several_centers_have_addresses_of_their_own_and_stations_are_counted_through():
    plan = headquarters()
    listening = {name: tuple(map(str, addresses)) for name, addresses in plan.listening.items()}
    assert listening["main/center"] == ("127.4.0.1:8081", "127.4.0.1:8080", "127.4.0.1:8082")
    assert listening["west/center"] == ("127.4.0.3:8081", "127.4.0.3:8080", "127.4.0.3:8082")
    assert listening["mam"] == ("127.4.0.1:8083",)
    assert str(plan.mam.snmp) == "127.4.0.1:1163", "the center on its host has an agent, too"
    assert listening["main.home/1"] == ("127.4.1.1:8081", "127.4.1.1:8080")
    assert listening["east.north/2"] == ("127.4.5.2:8081", "127.4.5.2:8080")
    assert len(set(listening.values())) == len(listening) == 3 + 1 + 9 + 18
    assert len(set(plan.folders)) == len(plan.folders)
    assert len({blade.serial_number for blade in plan.blades}) == len(plan.blades)


def test_stations_of_one_name_are_told_apart_and_each_knows_its_own_center():
    plan = headquarters()
    norths = [chassis for chassis in plan.chassis if chassis.known_as == "north"]
    assert [chassis.station for chassis in norths] == ["main.north", "east.north", "west.north"]
    assert [chassis.center for chassis in norths] == [center.address for center in plan.centers]
    assert [chassis.station for chassis in plan.chassis if chassis.home] == ["main.home", "east.home", "west.home"]


def test_the_stations_of_a_network_that_gets_other_centers_keep_their_folders():
    topology = read_topology(find_topology("headquarters"))
    alone = plan_network(replace(topology, other_centers=()), Path("/state"))
    several = plan_network(topology, Path("/state"))
    assert alone.mam is None
    assert [chassis.station for chassis in alone.chassis] == ["home", "north", "south"]
    assert set(alone.folders) <= set(several.folders)
    both = zip(alone.blades, several.blades, strict=False)
    assert all((one.state, one.address) == (other.state, other.address) for one, other in both)


def test_the_stations_of_all_centers_ask_for_tokens_of_one_server_which_has_an_address_of_its_own():
    topology = read_topology(find_topology("headquarters"))
    plan = plan_network(replace(topology, authentication=True), Path("/state"))
    assert {blade.settings("/dev/pts/9").authentication.server for blade in plan.blades} == {"127.4.0.1:8084"}
    taken = [address for addresses in plan.listening.values() for address in addresses]
    assert len(set(taken)) == len(taken)
    assert plan.panel not in taken
    assert plan.processes_of_no_station == (*plan.center_processes, "authentication")


def test_nobody_asks_for_tokens_where_nothing_is_said():
    plan = headquarters()
    assert {blade.settings("/dev/pts/9").authentication for blade in plan.blades} == {None}
    assert plan.processes_of_no_station == plan.center_processes
