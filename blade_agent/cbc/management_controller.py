"""What every management controller has, that of a blade as well as the one at 20h."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.line import MessageLine
from blade_agent.backplane.messages.chassis import RestartCause
from blade_agent.cbc.boot_options import BootOptions
from blade_agent.cbc.clock import Clock
from blade_agent.cbc.event_log import EventLog
from blade_agent.cbc.fru import OWN_FRU, Fru, FruSettings
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.lifetime import Lifetime
from blade_agent.cbc.power_meter import PowerMeter
from blade_agent.cbc.record_repository import OwnRecords, RecordRepository
from blade_agent.cbc.reservation import Reservation
from blade_agent.cbc.self_test import SelfCheck
from blade_agent.cbc.sensor import Sensor
from blade_agent.cbc.sensor_bank import SensorBank
from blade_agent.cbc.sensor_records import EventSource, sensor_records
from blade_agent.kept_octets import KeptOctets


class ManagementController:
    """Who it is, what it measures and has noticed, and how it describes all that. Whoever asks brings it up to date."""

    def __init__(
        self,
        *,
        identity: Identity,
        ipmb_address: int,
        name: str,
        sensors: Sequence[Sensor],
        event_sources: Sequence[EventSource] = (),
        neighbours: Mapping[int, str],
        fru: FruSettings,
        further_frus: Mapping[int, FruSettings] = MappingProxyType({}),
        kept_log: KeptOctets | None,
        kept_counters: KeptOctets | None,
        watts: Callable[[], float | None],
        clock: Clock,
        device_support: int,
        self_checks: Sequence[SelfCheck],
    ) -> None:
        """Take its sensors in the order in which it describes them, each with a number of its own.

        `event_sources` are those that are not read and only give events. `watts` measures what all of it draws.
        `neighbours` are the names of the blades' controllers that it tells of, by their IPMB addresses. Raises OSError
        when the FRU inventory is kept somewhere that cannot be read.
        """
        self.identity = identity
        self.ipmb_address = ipmb_address
        self.device_support = device_support
        self.self_checks = self_checks
        self.fru = Fru(fru, identity)
        """What is written on its own board."""
        further = {number: Fru(settings, identity) for number, settings in further_frus.items()}
        self.frus: Mapping[int, Fru] = {OWN_FRU: self.fru, **further}
        """All inventories that it answers for, by their numbers."""
        self.log = EventLog(clock.wall_s, generator=ipmb_address, kept=kept_log)
        self.started_at = self.log.time
        self.name = name
        self.lan_channel: int | None = None
        """Number of the channel on which it answers over a network, if it does."""
        self.restart_cause = RestartCause.UNKNOWN
        """Why the main board was started last, as far as the controller has seen it."""
        self.boot_options = BootOptions(clock)
        self.power_meter = PowerMeter(clock, watts)
        self.lifetime = Lifetime(clock, kept_counters)
        self.sensors = SensorBank(clock, self.note, sensors)
        self.records = sensor_records(ipmb_address, name, device_support, (*sensors, *event_sources), neighbours)
        """That describe itself and its sensors."""
        since = self.lifetime.records_since(self.records, self.log.time)
        self.repository: RecordRepository = OwnRecords(self.records, since)
        """All that it describes to tools."""
        self.sdr_reservation = Reservation()
        self.log_reservation = Reservation()
        self.lines: list[MessageLine] = []
        self.misdirected = 0
        """Messages that were whole but not for this controller."""
        self.broken_seals = 0
        """Requests whose 8-bit sums were right and whose seal was not."""

    @property
    def frame_faults(self) -> int:
        """What all lines carried that was no frame."""
        return sum(line.frame_faults.total() for line in self.lines)

    @property
    def message_faults(self) -> int:
        """Frames on all lines that held no message, one for somebody else, or one whose seal was broken."""
        return sum(line.faults.total() for line in self.lines) + self.misdirected + self.broken_seals

    @property
    def is_on(self) -> bool:
        """Whether what it controls has power."""
        return True

    def settle(self) -> None:
        """Look at the sensors."""
        self.sensors.scan()
        self.count()

    def count(self) -> None:
        """Count time and power."""
        self.power_meter.look()
        self.lifetime.look(on=self.is_on)

    def note(self, event: SensorEvent) -> None:
        """Keep an event in the log."""
        self.log.note(event)

    def restart(self) -> None:
        """Be as after power-up, but for what is kept."""
        self.sensors.reset()
        self.log.logging_enabled = True
        self.cancel_reservations()

    def cancel_reservations(self) -> None:
        """Let whoever reads records piece by piece begin anew."""
        self.sdr_reservation.cancel()
        self.log_reservation.cancel()
