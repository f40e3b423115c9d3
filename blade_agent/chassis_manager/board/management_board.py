"""The management board: the controller at 20h, with the sensors and the event log of the whole chassis.

It is the controller that every blade has, on another board: same commands, same records, same log. What it adds are
sensors for the slots and the supplies, and the chassis as a whole in place of one blade.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.hot_swap import HotSwapEvent
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS
from blade_agent.backplane.role import MainBoardState, MainBoardStatus, RoleAssignment
from blade_agent.backplane.sensor_codes import Entity, SensorKind, Unit
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.blade import SelfCheck
from blade_agent.cbc.commands.answer import CommandModule
from blade_agent.cbc.commands.device import DEVICE_COMMANDS
from blade_agent.cbc.commands.event_log import EVENT_LOG_COMMANDS
from blade_agent.cbc.commands.fru import FRU_COMMANDS
from blade_agent.cbc.commands.record import RECORD_COMMANDS
from blade_agent.cbc.commands.sensor import SENSOR_COMMANDS
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.hardware import AnalogSensor, BareBoard, SensorFacts
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.own_sensors import HOT_SWAP_SENSOR, WATCHDOG_SENSOR
from blade_agent.cbc.sensor import DiscreteSensor, Sensor
from blade_agent.cbc.sensor_records import controller_record, sensor_record
from blade_agent.chassis_manager.board import chassis_log
from blade_agent.chassis_manager.board.supplies import Supplies, Supply
from blade_agent.chassis_manager.slots.blade_facts import locator_record
from blade_agent.chassis_manager.slots.slot import Slot
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.kept_octets import KeptOctets
from blade_agent.profiled_board.measurements import Measurements
from blade_agent.profiled_board.sensors import measured_sensors
from blade_agent.version import installed_version

_DEVICE_ID: Final = 0x10
"""This project's number for a chassis manager; a blade's is its profile's."""
_PRESENT: Final = 0x01
_HOT_SWAP_STATES: Final = 0x00FF
_SUPPLY_STATES: Final = 0x0003
_MOST_W_OVER_CAPACITY: Final = 1.5
_MOST_V: Final = 60.0


class ManagerAddress(SlotAddress, frozen=True):
    """Where the chassis manager stands: in no slot."""

    @property
    def hardware_address(self) -> int:
        """10h."""
        return CHASSIS_MANAGER_ADDRESS // 2

    @property
    def ipmb_address(self) -> int:
        """20h."""
        return CHASSIS_MANAGER_ADDRESS


class _NoMainBoard:
    """The management board has no main board beside it that could take a role."""

    def assign(self, assignment: RoleAssignment) -> None:
        """Take nothing."""

    def drain(self, draining: bool) -> int:  # noqa: ARG002, FBT001 -- as the protocol has it
        """Carry nothing."""
        return 0

    def status(self) -> MainBoardStatus:
        """Be there."""
        return MainBoardStatus(state=MainBoardState.READY, address=None)


class _SupplySensor:
    """What a supply gives, or the voltage at its output."""

    def __init__(self, supply: Supply, *, power: bool) -> None:
        self._supply = supply
        self._power = power
        highest = supply.capacity_w * _MOST_W_OVER_CAPACITY if power else _MOST_V
        self.facts = SensorFacts(
            name=f"{supply.name[:13]} {'W' if power else 'V'}",
            kind=SensorKind.OTHER if power else SensorKind.VOLTAGE,
            unit=Unit.WATT if power else Unit.VOLT,
            entity=Entity.POWER_SUPPLY,
            lowest=0.0,
            highest=highest,
        )

    def reading(self) -> float | None:
        """See `AnalogSensor`."""
        return self._supply.watts if self._power else self._supply.volts


class _ManagementHardware(BareBoard):
    def __init__(self, sensors: Sequence[AnalogSensor]) -> None:
        self.sensors = sensors


def management_controller(
    *,
    station: str,
    slots: Mapping[int, Slot],
    profile: HardwareProfile | None,
    measurements: Measurements,
    supplies: Supplies,
    event_log: KeptOctets | None,
    self_checks: Sequence[SelfCheck],
    chassis_commands: CommandModule,
) -> Controller:
    """Make the controller at 20h. Raises ValueError for a profile whose sensors contradict themselves."""
    sensors = [
        *(measured_sensors(profile, measurements) if profile else ()),
        *(_SupplySensor(supply, power=power) for supply in supplies.all for power in (False, True)),
    ]
    identity = identity_of(station, profile)
    facts = FruFacts(
        product="media station chassis",
        part_number=profile.title[:31] if profile else "",
        version=identity.firmware_version,
        serial_number=identity.guid[-8:].hex(),
        asset_tag=station[:31],
    )
    kept = _QuietAtFirst(event_log) if event_log else None
    controller = Controller(
        identity=identity,
        address=ManagerAddress(1),
        main_board=_NoMainBoard(),
        boot_id=0,
        hardware=_ManagementHardware(sensors),
        fru=FruSettings(facts=facts),
        event_log=kept,
        self_checks=self_checks,
        modules=(
            DEVICE_COMMANDS,
            SENSOR_COMMANDS,
            RECORD_COMMANDS,
            EVENT_LOG_COMMANDS,
            FRU_COMMANDS,
            chassis_commands,
        ),
    )
    _be_in_service(controller)
    if kept is not None:
        kept.quiet = False
    _add_sensors(controller, [*_slot_sensors(slots), *_supply_sensors(supplies)])
    _make_records(controller, slots)
    return controller


def identity_of(station: str, profile: HardwareProfile | None) -> Identity:
    """Give who the manager is: its profile's identity, and a GUID that stays the station's own over restarts."""
    known = profile.identity if profile else None
    return Identity(
        device_id=known.device_id if known and known.device_id else _DEVICE_ID,
        device_revision=known.device_revision if known else 0,
        manufacturer=known.manufacturer if known else 0,
        product=known.product if known else 0,
        guid=hashlib.sha256(f"chassis manager\n{station}".encode()).digest()[:16],
        firmware_version=installed_version(),
    )


class _QuietAtFirst:
    """Somewhere to keep octets that takes nothing before it is told to: a start is no news."""

    def __init__(self, kept: KeptOctets) -> None:
        self._kept = kept
        self.quiet = True

    def read(self) -> bytes:
        """See `KeptOctets`."""
        return self._kept.read()

    def keep(self, octets: bytes) -> None:
        """See `KeptOctets`."""
        if not self.quiet:
            self._kept.keep(octets)


def _be_in_service(controller: Controller) -> None:
    """A management board that runs is in service. That its own hot swap went there is left out of the log."""
    blade = controller.blade
    blade.event_sender.set_receiver(None)
    blade.hot_swap.apply(HotSwapEvent.ACTIVATE)
    blade.settle()
    for number, record in list(blade.log.records.items()):
        if record[7] == CHASSIS_MANAGER_ADDRESS and record[11] == HOT_SWAP_SENSOR:
            del blade.log.records[number]


def _slot_sensors(slots: Mapping[int, Slot]) -> list[DiscreteSensor]:
    return [
        DiscreteSensor(
            chassis_log.SLOT_SENSOR + number,
            f"Slot {number}",
            SensorKind.HOT_SWAP,
            _HOT_SWAP_STATES,
            partial(_slot_state, slot),
        )
        for number, slot in slots.items()
    ]


def _supply_sensors(supplies: Supplies) -> list[DiscreteSensor]:
    return [
        DiscreteSensor(
            chassis_log.SUPPLY_SENSOR + index,
            supply.name,
            SensorKind.POWER_SUPPLY,
            _SUPPLY_STATES,
            partial(_supply_state, supply),
        )
        for index, supply in enumerate(supplies.all)
    ]


def _slot_state(slot: Slot) -> int:
    return 1 << slot.hot_swap


def _supply_state(supply: Supply) -> int:
    return _PRESENT | (not supply.works) << chassis_log.SUPPLY_FAILED


def _add_sensors(controller: Controller, sensors: Sequence[Sensor]) -> None:
    """Add the manager's own. It has no watchdog timer for others to set."""
    del controller.blade.sensors.by_number[WATCHDOG_SENSOR]
    for sensor in sensors:
        controller.blade.sensors.by_number[sensor.number] = sensor


def _make_records(controller: Controller, slots: Mapping[int, Slot]) -> None:
    """The repository: the manager itself, its sensors, and where each slot's controller stands."""
    blade = controller.blade
    records = [controller_record(0, CHASSIS_MANAGER_ADDRESS, blade.device_support, "chassis manager")]
    for sensor in blade.sensors.by_number.values():
        records.append(sensor_record(len(records), CHASSIS_MANAGER_ADDRESS, sensor))
    for number in slots:
        records.append(locator_record(len(records), SlotAddress(number).ipmb_address, f"slot {number}"))
    blade.records = tuple(records)
