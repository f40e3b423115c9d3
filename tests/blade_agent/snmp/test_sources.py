"""From what blades and chassis managers say of themselves to what SNMP shows."""

import pytest
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.role import DRAIN, Drain
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.orders import BudgetState, ChassisState, SensorState, SlotState, SupplyState
from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import load_profile
from blade_agent.hardware.reading import KnownReading, Unknown
from blade_agent.profiled_board.measurements import FAN_SPEED, SENSOR, Measurements
from blade_agent.snmp.chassis_source import chassis_picture
from blade_agent.snmp.entity_state import fan_turns
from blade_agent.snmp.entity_tree import chassis_entities
from blade_agent.snmp.hardware_source import measured_hardware
from blade_agent.snmp.manager_link import ManagerOrders
from blade_agent.snmp.sources import hardware_of
from media_network.address import Address
from media_network.snmp.value import ValueRefused
from tests.blade_agent.snmp.pictures import MAIN_BOARD, figures


def test_a_blade_is_a_chassis_of_one_slot():
    """Only the blade that is the director knows where the director is."""
    shown = figures().as_chassis()
    assert (shown.station, shown.epoch, shown.director) == ("north", 3, 1)
    assert shown.slots == (figures().own,)
    assert figures(replace(MAIN_BOARD, director=None)).as_chassis().director is None


def test_a_chassis_from_what_its_manager_shows():
    state = ChassisState(
        station="north",
        epoch=3,
        director=1,
        slots=(
            SlotState(
                slot=1,
                hot_swap="M4",
                role=Role.DIRECTOR,
                main_board=MainBoardState.READY,
                address="127.0.0.1:8080",
                boot_id="00000000000000ff",
                power_levels_w=(5.0, 9.0),
                granted_w=9.0,
                streams=3,
                protocol_version=2,
                serial_number="B-17",
                model="Blade One",
                firmware="0.1.0",
                sensors=(
                    SensorState(
                        number=2,
                        name="SoC temp",
                        measures="temperature",
                        entity="processor",
                        value=44.5,
                        high_critical=85.0,
                    ),
                    SensorState(number=4, name="5 V", measures="voltage", entity="system_board", value=5.05),
                    SensorState(number=5, name="Input", measures="power", entity="system_board", value=7.5),
                    SensorState(number=6, name="Fan", measures="fan_speed", entity="fan", value=2400.0),
                ),
            ),
            SlotState(slot=2, hot_swap="M7", lost_since=1.0),
            SlotState(slot=3, hot_swap="M0"),
        ),
        supplies=(SupplyState(name="Supply 1", capacity_w=100.0, works=False),),
        budget=BudgetState(capacity_w=0.0, granted_w=9.0),
        inlet_celsius=21.0,
    )
    picture = chassis_picture(state)
    first, lost, none = picture.slots
    assert (first.boot_id, first.desired_w, first.address) == (255, 9.0, Address("127.0.0.1", 8080))
    assert first.hardware is not None
    assert first.hardware.sensors[0].high_critical == 85.0
    assert [sensor.place for sensor in first.hardware.sensors] == [0, 2, 3]
    assert (first.hardware.serial_number, first.hardware.title, first.hardware.firmware) == (
        *("B-17", "Blade One"),
        "0.1.0",
    )
    assert first.hardware.fans[0].speed == KnownReading(2400.0)
    assert (first.streams, first.observed_w, first.version, first.waits_for) == (3, 7.5, 2, "")
    assert (lost.hot_swap, lost.hardware) == (HotSwapState.M7_COMMUNICATION_LOST, None)
    assert none.hot_swap is HotSwapState.M0_NOT_INSTALLED
    assert picture.hardware.supplies[0].works is False
    assert picture.hardware.sensors[0].reading == KnownReading(21.0)


def test_a_board_from_its_profile_where_nothing_can_be_read(tmp_path):
    profile = load_profile("emulated")
    figures = hardware_of(profile, Board(profile, tmp_path).read(), serial_number="1")
    assert [sensor.name for sensor in figures.sensors] == [sensor.name for sensor in profile.sensors]
    assert all(isinstance(sensor.reading, Unknown) for sensor in figures.sensors)
    assert figures.sensors[0].high_critical == profile.sensors[0].thresholds.upper_critical


def test_a_board_as_it_was_measured_last():
    profile = load_profile("emulated")
    now = [0.0]
    measurements = Measurements(lambda: now[0])
    name = profile.sensors[0].name
    measurements.take({(SENSOR, name): KnownReading(40.0), (FAN_SPEED, profile.fans[0].name): KnownReading(1200.0)})
    figures = measured_hardware(profile, measurements, serial_number="1")
    assert figures.sensors[0].reading == KnownReading(40.0)
    assert figures.fans[0].speed == KnownReading(1200.0)
    assert isinstance(figures.fans[0].duty, Unknown)
    now[0] = 60.0
    stale = measured_hardware(profile, measurements)
    assert isinstance(stale.sensors[0].reading, Unknown), "a reading of a minute ago is none"


class Managed:
    """What of a chassis manager its SNMP agent uses."""

    def __init__(self, *, answers):
        self.chassis = None
        self.relayed = []
        self.answers = answers

    def relay(self, slot, relay):
        self.relayed.append((slot, relay.net_fn, relay.command, relay.data))
        return self.answers


def test_orders_that_a_blade_cannot_be_given_are_refused():
    orders = ManagerOrders(Managed(answers=False))
    for order in (lambda: orders.drain(2), lambda: orders.identify(2, 5), lambda: orders.deactivate(2)):
        with pytest.raises(ValueRefused):
            order()


def test_orders_go_to_the_blade_as_ipmi_requests():
    managed = Managed(answers=True)
    orders = ManagerOrders(managed)
    orders.drain(2)
    orders.identify(3, 5)
    assert [(slot, command) for slot, _, command, _ in managed.relayed] == [(2, 0x15), (3, 0x04)]
    assert managed.relayed[0][3] == DRAIN.request_data(Drain(draining=True))
    assert managed.relayed[1][3][0] == 5


def a_slot(*sensors, **facts):
    return SlotState(slot=1, hot_swap="M4", sensors=sensors, **facts)


def entities_of(slot):
    state = ChassisState(station="north", epoch=1, director=1, slots=(slot,))
    return {entity.number: entity for entity in chassis_entities(chassis_picture(state))}


def sensor(number, measures="temperature", value=20.0, entity="system_board"):
    return SensorState(number=number, name=f"{measures} {number}", measures=measures, entity=entity, value=value)


def test_numbers_of_a_blades_parts_never_shift():
    """Not when one has no reading, nor when the controller names some that are no numbers between them."""
    fan = sensor(9, "fan_speed", 1200.0, "fan")
    whole = entities_of(a_slot(sensor(2), sensor(5), sensor(8, "voltage"), fan))
    without = entities_of(a_slot(sensor(2, value=None), sensor(8, "voltage"), fan))
    for number, entity in without.items():
        assert (entity.name, entity.kind) == (whole[number].name, whole[number].kind)
    assert whole.keys() - without.keys() == {1001 + 100 + 5 - 2}


def test_a_foreign_controllers_many_sensors_take_no_others_number():
    many = [sensor(number) for number in range(255)]
    fans = [sensor(number, "fan_speed", 1200.0, "fan") for number in range(100, 200)]
    entities = chassis_entities(
        chassis_picture(ChassisState(station="north", epoch=1, director=1, slots=(a_slot(*many, *fans),)))
    )
    numbers = [entity.number for entity in entities]
    assert len(numbers) == len(set(numbers))
    assert all(entity.sensor is not None for entity in entities if 1101 <= entity.number < 1181)


def test_a_fan_that_stands_is_not_said_to_have_failed_where_nobody_says_how_it_is_driven():
    stands, turns = (entities_of(a_slot(sensor(4, "fan_speed", speed, "fan")))[1001 + 30] for speed in (0.0, 900.0))
    assert (fan_turns(stands), fan_turns(turns)) == (None, True)


def test_watts_of_which_one_cannot_be_read_are_not_said():
    assert (
        chassis_picture(
            ChassisState(
                station="north",
                epoch=1,
                director=1,
                slots=(a_slot(sensor(3, "power", 4.0), sensor(4, "power", None)), a_slot(sensor(3, "power", 4.0))),
            )
        )
        .slots[0]
        .observed_w
        is None
    )


def test_an_old_blade_is_shown_as_one():
    picture = chassis_picture(
        ChassisState(
            station="north",
            epoch=1,
            director=None,
            slots=(a_slot(protocol_version=1, waits_for="update it", streams=None),),
        )
    )
    assert (picture.slots[0].version, picture.slots[0].waits_for, picture.slots[0].streams) == (1, "update it", None)
