"""The management board: the controller at 20h, with the sensors and the event log of the whole chassis.

It is the controller that every blade has, on another board: same commands, same records, same log. What it adds are
sensors for the slots and the supplies, and the chassis as a whole in place of one blade.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.hot_swap import HotSwapEvent
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, Request, Response
from blade_agent.backplane.role import MainBoardState, MainBoardStatus, RoleAssignment
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.blade import SelfCheck, SelfTestFault
from blade_agent.cbc.commands.answer import CommandModule
from blade_agent.cbc.commands.device import DEVICE_COMMANDS
from blade_agent.cbc.commands.event_log import EVENT_LOG_COMMANDS
from blade_agent.cbc.commands.fru import FRU_COMMANDS
from blade_agent.cbc.commands.record import RECORD_COMMANDS
from blade_agent.cbc.commands.sensor import SENSOR_COMMANDS
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.hardware import AnalogSensor, BareBoard
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.own_sensors import HOT_SWAP_SENSOR, WATCHDOG_SENSOR
from blade_agent.cbc.sensor import Sensor
from blade_agent.cbc.sensor_records import controller_record, sensor_record
from blade_agent.chassis_manager.board import chassis_log
from blade_agent.chassis_manager.board.blade_events import BladeEvents
from blade_agent.chassis_manager.board.chassis_commands import ChassisCommands
from blade_agent.chassis_manager.board.chassis_sensors import slot_sensors, supply_meters, supply_sensors
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.orders import Events
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.policy.notice import Notice
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.blade_facts import locator_record
from blade_agent.chassis_manager.slots.slot import Slot
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.kept_octets import KeptOctets
from blade_agent.profiled_board.kept_file import KeptFile
from blade_agent.profiled_board.measurements import Measurements
from blade_agent.profiled_board.sensors import measured_sensors
from blade_agent.version import installed_version

_DEVICE_ID: Final = 0x10
"""This project's number for a chassis manager; a blade's is its profile's."""


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


class _ManagementHardware(BareBoard):
    def __init__(self, sensors: Sequence[AnalogSensor]) -> None:
        self.sensors = sensors


class ManagementBoard:
    """The controller at 20h on its board, and the event log of the chassis."""

    def __init__(
        self,
        settings: ManagerSettings,
        chassis: Chassis,
        *,
        profile: HardwareProfile | None,
        measurements: Measurements,
        supplies: Supplies,
        event_log: KeptFile | None,
        lines_work: Callable[[], bool],
    ) -> None:
        """Raises ValueError for a profile whose sensors contradict themselves."""
        self_checks = [
            SelfCheck(SelfTestFault.BACKPLANE_LINES, lines_work),
            SelfCheck(SelfTestFault.FRU_DEVICE, lambda: chassis.journal.works),
        ]
        if event_log is not None:
            self_checks.append(SelfCheck(SelfTestFault.SEL_DEVICE, lambda: event_log.works))
        self._slots = chassis.slots
        self._controller = _management_controller(
            settings,
            slots=chassis.slots,
            profile=profile,
            sensors=[*(measured_sensors(profile, measurements) if profile else ()), *supply_meters(supplies)],
            supplies=supplies,
            event_log=event_log,
            self_checks=self_checks,
            chassis_commands=ChassisCommands(chassis, supplies).module,
        )
        self._log = self._controller.blade.log
        self._blade_events = BladeEvents(self._log)

    def answer(self, request: Request) -> Response:
        """Carry out a request to 20h."""
        return self._controller.answer(request)

    def answer_blade(self, slot: int, request: Request, now: float) -> Response | None:
        """Take a request from a slot's line, an event; None if it gets no answer."""
        return self._blade_events.answer(slot, request, now)

    def settle(self) -> None:
        """Look at the sensors."""
        self._controller.settle()

    def note(self, notice: Notice) -> None:
        """Bring what the manager noticed into the event log."""
        self._log.note(chassis_log.event_of(notice))

    def events(self, after: int) -> Events:
        """Show the event log after a record."""
        return Events(
            events=tuple(chassis_log.rows(self._log, after, self._sensor_name)),
            last=next(reversed(self._log.records), 0),
        )

    def _sensor_name(self, slot: int, sensor: int) -> str | None:
        known = self._slots[slot].facts.sensors.get(sensor) if slot in self._slots else None
        return None if known is None else known.name


def _management_controller(
    settings: ManagerSettings,
    *,
    slots: Mapping[int, Slot],
    profile: HardwareProfile | None,
    sensors: Sequence[AnalogSensor],
    supplies: Supplies,
    event_log: KeptOctets | None,
    self_checks: Sequence[SelfCheck],
    chassis_commands: CommandModule,
) -> Controller:
    identity = _identity_of(settings, profile)
    facts = FruFacts(
        product="media station chassis",
        part_number=profile.title[:31] if profile else "",
        version=identity.firmware_version,
        serial_number=identity.guid[-8:].hex(),
        asset_tag=settings.station[:31],
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
    _add_sensors(controller, [*slot_sensors(slots), *supply_sensors(supplies)])
    _make_records(controller, slots)
    return controller


def _identity_of(settings: ManagerSettings, profile: HardwareProfile | None) -> Identity:
    """Give who the manager is: its profile's identity, and its own GUID."""
    known = profile.identity if profile else None
    return Identity(
        device_id=known.device_id if known and known.device_id else _DEVICE_ID,
        device_revision=known.device_revision if known else 0,
        manufacturer=known.manufacturer if known else 0,
        product=known.product if known else 0,
        guid=settings.guid,
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
