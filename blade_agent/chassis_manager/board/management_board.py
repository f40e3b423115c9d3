"""The management board: the controller at 20h, with the sensors and the event log of the whole chassis.

It is a management controller as every blade has one: same commands, same records, same log. What is its own are sensors
for the slots and the supplies, and commands about the chassis as a whole.
"""

from collections.abc import Callable
from typing import Final

from blade_agent.backplane.command import CommandCode
from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, Request, Response
from blade_agent.backplane.messages.shelf import SHELF_FRU
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.clock import Clock, LoopClock
from blade_agent.cbc.commands.answer import AnswerTable
from blade_agent.cbc.commands.boot_options import BOOT_OPTION_COMMANDS
from blade_agent.cbc.commands.dcmi import DCMI_COMMANDS
from blade_agent.cbc.commands.management import MANAGEMENT_COMMANDS
from blade_agent.cbc.commands.system_info import SYSTEM_INFO_COMMANDS
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.self_test import SelfCheck, SelfTestFault
from blade_agent.cbc.sensor_bank import board_sensors
from blade_agent.chassis_manager.board import chassis_log
from blade_agent.chassis_manager.board.blade_events import BladeEvents
from blade_agent.chassis_manager.board.chassis_commands import ChassisCommands
from blade_agent.chassis_manager.board.chassis_repository import ChassisRepository
from blade_agent.chassis_manager.board.chassis_sensors import (
    event_sources,
    service_sensor,
    slot_sensors,
    supply_meters,
    supply_sensors,
)
from blade_agent.chassis_manager.board.own_fru import OWN_FRU_COMMANDS
from blade_agent.chassis_manager.board.shelf_commands import ShelfCommands
from blade_agent.chassis_manager.board.shelf_fru import shelf_records
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.lan.command_table import LAN_CHANNEL
from blade_agent.chassis_manager.orders import Events
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.policy.notice import Notice
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.profiled_board.kept_file import KeptFile
from blade_agent.profiled_board.measurements import Measurements
from blade_agent.profiled_board.sensors import measured_sensors
from blade_agent.version import installed_version
from media_network.address import Address

_DEVICE_ID: Final = 0x10
"""This project's number for a chassis manager; a blade's is its profile's."""


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
        counters: KeptFile | None = None,
        records: KeptFile | None = None,
        lines_work: Callable[[], bool],
        clock: Clock | None = None,
    ) -> None:
        """Time is the running event loop's unless a `clock` is given.

        Raises ValueError for a profile whose sensors contradict themselves.
        """
        measured = measured_sensors(profile, measurements) if profile else ()
        self_checks = [
            SelfCheck(SelfTestFault.BACKPLANE_LINES, lines_work),
            SelfCheck(SelfTestFault.FRU_DEVICE, lambda: chassis.journal.works),
        ]
        if event_log is not None:
            self_checks.append(SelfCheck(SelfTestFault.SEL_DEVICE, lambda: event_log.works))
        meters = (*measured, *supply_meters(supplies))
        identity = _identity_of(settings, profile)
        self._slots = chassis.slots
        grants = chassis.service.grants
        shelf = ShelfCommands(settings.station, supplies, lambda: grants.granted_w, _address_of(settings))
        self._table = AnswerTable(
            (
                *MANAGEMENT_COMMANDS,
                BOOT_OPTION_COMMANDS,
                SYSTEM_INFO_COMMANDS,
                DCMI_COMMANDS,
                ChassisCommands(chassis, supplies).module,
                OWN_FRU_COMMANDS,
                shelf.module,
            )
        )
        facts = _facts_of(settings, profile, identity)
        shelf_says = shelf_records(
            settings.station, tuple(chassis.slots), supplies.all, settings.lan.address if settings.lan else None
        )
        self._controller = ManagementController(
            identity=identity,
            ipmb_address=CHASSIS_MANAGER_ADDRESS,
            name="chassis manager",
            sensors=(
                service_sensor(),
                *board_sensors(meters[: chassis_log.MOST_MEASURED], chassis_log.MEASURED_SENSOR),
                *slot_sensors(chassis.slots),
                *supply_sensors(supplies),
            ),
            event_sources=event_sources(),
            neighbours={SlotAddress(slot).ipmb_address: f"slot {slot}" for slot in chassis.slots},
            fru=FruSettings(facts=facts),
            further_frus={SHELF_FRU: FruSettings(facts=facts, records=shelf_says)},
            kept_log=event_log,
            kept_counters=counters,
            watts=lambda: supplies.watts,
            clock=LoopClock() if clock is None else clock,
            device_support=self._table.device_support,
            self_checks=self_checks,
        )
        controller = self._controller
        controller.name = settings.station
        controller.lan_channel = LAN_CHANNEL if settings.lan else None
        controller.repository = ChassisRepository(
            controller.records,
            chassis.slots,
            kept=records,
            now=lambda: controller.log.time,
            changed=controller.sdr_reservation.cancel,
        )
        self._blade_events = BladeEvents(self._controller.log)

    @property
    def codes(self) -> frozenset[CommandCode]:
        """Every command that is known."""
        return self._table.codes

    def knows(self, request: Request) -> bool:
        """Tell whether a request is one of its commands."""
        return self._table.knows(request)

    def answer(self, request: Request) -> Response:
        """Carry out a request to 20h."""
        return self._table.answer(self._controller, request)

    def answer_blade(self, slot: int, request: Request, now: float) -> Response | None:
        """Take a request from a slot's line, an event; None if it gets no answer."""
        return self._blade_events.answer(slot, request, now)

    def settle(self) -> None:
        """Look at the sensors."""
        self._controller.settle()

    def note(self, notice: Notice) -> None:
        """Bring what the manager noticed into the event log."""
        self._controller.note(chassis_log.event_of(notice))

    def events(self, after: int) -> Events:
        """Show the event log after a record."""
        log = self._controller.log
        return Events(
            events=tuple(chassis_log.rows(log, after, self._sensor_name)), last=next(reversed(log.records), 0)
        )

    def _sensor_name(self, slot: int, sensor: int) -> str | None:
        known = self._slots[slot].facts.sensors.get(sensor) if slot in self._slots else None
        return None if known is None else known.name


def _address_of(settings: ManagerSettings) -> Address | None:
    return Address(settings.lan.address, settings.lan.port) if settings.lan else None


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


def _facts_of(settings: ManagerSettings, profile: HardwareProfile | None, identity: Identity) -> FruFacts:
    """Give what is written on the chassis."""
    return FruFacts(
        product="media station chassis",
        manufacturer=profile.identity.maker if profile else "",
        part_number=profile.identity.part_number if profile else "",
        version=identity.firmware_version,
        serial_number=identity.guid[-8:].hex(),
        asset_tag=settings.station[:31],
    )
