"""From what blades and chassis managers say of themselves to what SNMP shows."""

import pytest
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.orders import BudgetState, ChassisState, SlotState, SupplyState, TemperatureReading
from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import load_profile
from blade_agent.hardware.reading import KnownReading, Unknown
from blade_agent.profiled_board.measurements import FAN_SPEED, SENSOR, Measurements
from blade_agent.snmp.chassis_source import chassis_picture
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
                temperatures=(TemperatureReading(sensor="SoC temp", celsius=44.5, upper_critical=85.0),),
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
    assert [(slot, command) for slot, _, command, _ in managed.relayed] == [(2, 0x05), (3, 0x04)]
    assert managed.relayed[0][3][-1] == 1
    assert managed.relayed[1][3][0] == 5
