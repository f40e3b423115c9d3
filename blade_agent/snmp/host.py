"""IF-MIB (RFC 2863) and HOST-RESOURCES-MIB (RFC 2790) of the machine, from figures that a task reads off the loop."""

import asyncio
import logging
from collections.abc import Callable, Iterator

from msgspec import Struct

from blade_agent.hardware.machine import InterfaceFigures, Machine, MachineFigures, StorageFigures
from blade_agent.snmp.notification_types import IF_ADMIN_STATUS, IF_ENTRY, IF_OPER_STATUS, LINK_DOWN, LINK_UP
from blade_agent.snmp.storage_numbers import numbered
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.interest import Interest
from media_network.snmp.objects.alarms import shortened
from media_network.snmp.objects.arcs import MIB_2, NO_OBJECT
from media_network.snmp.objects.notification import Notification, notification
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.objects.times import Uptime, date_and_time, wall_clock
from media_network.snmp.value import (
    COUNTER32,
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OBJECT_ID,
    OCTET_STRING,
    TIME_TICKS,
    TRUTH_VALUE,
    enumerated,
    truth,
)

logger = logging.getLogger(__name__)

_INTERFACES = (*MIB_2, 2)
_IF_X = (*MIB_2, 31, 1)
_IF_X_ENTRY = (*_IF_X, 1, 1)
_HOST = (*MIB_2, 25)
_STORAGE_ENTRY = (*_HOST, 2, 3, 1)
_DEVICE_ENTRY = (*_HOST, 3, 2, 1)
_PROCESSOR_ENTRY = (*_HOST, 3, 3, 1)
_NETWORK_ENTRY = (*_HOST, 3, 4, 1)
_RAM: Oid = (*_HOST, 2, 1, 2)
_VIRTUAL_MEMORY: Oid = (*_HOST, 2, 1, 3)
_FIXED_DISK: Oid = (*_HOST, 2, 1, 4)
_RAM_DISK: Oid = (*_HOST, 2, 1, 8)
_PROCESSOR: Oid = (*_HOST, 3, 1, 3)
_NETWORK: Oid = (*_HOST, 3, 1, 4)
_FIRST_PROCESSOR = 196608
"""hrDeviceIndex of processors and interfaces, as net-snmp numbers them: people's dashboards know these."""
_FIRST_NETWORK = 262144

_TRAPS = enumerated(enabled=1, disabled=2)
_DEVICE_STATUS = enumerated(unknown=1, running=2, warning=3, testing=4, down=5)
_PERCENT = INTEGER32.within((0, 100))
_ETHERNET, _LOOPBACK = 6, 24
_U32 = (1 << 32) - 1
_INT32 = (1 << 31) - 1
_UNIT_BYTES = 4096
_DESCRIPTION_MAX = 64
_INTERVAL_S = 5.0
_RARELY_S = 300.0


class _Device(Struct, frozen=True):
    number: int
    kind: Oid
    description: str
    up: bool


class HostObjects:
    """The machine's objects."""

    def __init__(
        self, uptime: Uptime, tell: Callable[[Notification], None], wall: Callable[[], float] = wall_clock
    ) -> None:
        self._uptime = uptime
        self._tell = tell
        self._wall = wall
        self._figures: MachineFigures | None = None
        self._read_ticks = 0
        self._interfaces = Rows()
        self._storages = Rows()
        self._devices = Rows()
        self._processors = Rows()
        self._networks = Rows()
        self._table_changed = 0
        self._status_changed: dict[str, tuple[bool, int]] = {}

    def update(self, figures: MachineFigures) -> None:
        """Show the machine like this from now on."""
        self._figures = figures
        self._read_ticks = ticks = self._uptime.ticks()
        interfaces: dict[Oid, InterfaceFigures] = {(one.number,): one for one in figures.interfaces}
        if set(interfaces) != set(self._interfaces.indexes):
            self._table_changed = ticks
        self._watch_links(figures.interfaces, ticks)
        replace_changed(self._interfaces, interfaces)
        replace_changed(self._storages, numbered(figures.storages))
        processors: dict[Oid, float | None] = {
            (_FIRST_PROCESSOR + place,): load for place, load in enumerate(figures.processors)
        }
        networks: dict[Oid, InterfaceFigures] = {(_FIRST_NETWORK + one.number,): one for one in figures.interfaces}
        replace_changed(self._processors, processors)
        replace_changed(self._networks, networks)
        devices = [_Device(index[0], _PROCESSOR, figures.processor_model, up=True) for index in processors]
        devices += [
            _Device(index[0], _NETWORK, f"network interface {one.name}", up=one.up) for index, one in networks.items()
        ]
        replace_changed(self._devices, {(device.number,): device for device in devices})

    def _watch_links(self, interfaces: tuple[InterfaceFigures, ...], ticks: int) -> None:
        """Note which links went down or came up; an interface that has only just appeared did neither."""
        before, self._status_changed = self._status_changed, {}
        for one in interfaces:
            was_up, changed = before.get(one.name, (one.up, 0))
            self._status_changed[one.name] = (one.up, changed if was_up is one.up else ticks)
            if was_up is not one.up and _is_told_of(one):
                values = {"ifIndex": one.number, "ifAdminStatus": _admin(one), "ifOperStatus": _operational(one)}
                self._tell(notification(LINK_UP if one.up else LINK_DOWN, (one.number,), values))

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from self._interface_objects()
        yield from self._extended_interface_objects()
        yield from self._host_objects()
        yield from self._device_objects()

    def _interface_objects(self) -> Iterator[ObjectType]:
        yield scalar((*_INTERFACES, 1), INTEGER32, lambda: len(self._interfaces))
        yield from columns(
            IF_ENTRY,
            self._interfaces,
            {
                1: (INTEGER32, lambda one: one.number),
                2: (DISPLAY_STRING, lambda one: one.name),
                3: (INTEGER32, lambda one: _LOOPBACK if one.loopback else _ETHERNET),
                4: (INTEGER32, lambda one: min(one.mtu, _INT32)),
                5: (GAUGE32, lambda one: min(one.speed_mbps * 1_000_000, _U32)),
                6: (OCTET_STRING, lambda one: one.hardware_address),
                7: (IF_ADMIN_STATUS, _admin),
                8: (IF_OPER_STATUS, _operational),
                9: (TIME_TICKS, lambda one: self._status_changed[one.name][1]),
                10: (COUNTER32, lambda one: one.in_bytes),
                11: (COUNTER32, lambda one: one.in_packets),
                13: (COUNTER32, lambda one: one.in_drops),
                14: (COUNTER32, lambda one: one.in_errors),
                16: (COUNTER32, lambda one: one.out_bytes),
                17: (COUNTER32, lambda one: one.out_packets),
                19: (COUNTER32, lambda one: one.out_drops),
                20: (COUNTER32, lambda one: one.out_errors),
            },
        )

    def _extended_interface_objects(self) -> Iterator[ObjectType]:
        yield from columns(
            _IF_X_ENTRY,
            self._interfaces,
            {
                1: (DISPLAY_STRING, lambda one: one.name),
                6: (COUNTER64, lambda one: one.in_bytes),
                7: (COUNTER64, lambda one: one.in_packets),
                10: (COUNTER64, lambda one: one.out_bytes),
                11: (COUNTER64, lambda one: one.out_packets),
                14: (_TRAPS, lambda one: 1 if _is_told_of(one) else 2),
                15: (GAUGE32, lambda one: one.speed_mbps),
                16: (TRUTH_VALUE, lambda _: truth(value=False)),
                17: (TRUTH_VALUE, lambda one: truth(not one.loopback)),
                18: (DISPLAY_STRING, lambda _: ""),
                19: (TIME_TICKS, lambda _: 0),
            },
        )
        yield scalar((*_IF_X, 5), TIME_TICKS, lambda: self._table_changed)

    def _host_objects(self) -> Iterator[ObjectType]:
        yield scalar((*_HOST, 1, 1), TIME_TICKS, self._up)
        yield scalar((*_HOST, 1, 2), OCTET_STRING, lambda: date_and_time(self._wall()))
        yield scalar((*_HOST, 1, 5), GAUGE32, lambda: self._figures.users if self._figures else None)
        yield scalar((*_HOST, 1, 6), GAUGE32, lambda: self._figures.processes if self._figures else None)
        yield scalar((*_HOST, 1, 7), INTEGER32, lambda: 0)
        yield scalar((*_HOST, 2, 2), INTEGER32, self._memory)
        yield from columns(
            _STORAGE_ENTRY,
            self._storages,
            {
                1: (INTEGER32, lambda row: row[0]),
                2: (OBJECT_ID, lambda row: _storage_type(row[1])),
                3: (DISPLAY_STRING, lambda row: shortened(row[1].name, 255)),
                4: (INTEGER32, lambda row: _unit(row[1].size_bytes)),
                5: (INTEGER32, lambda row: row[1].size_bytes // _unit(row[1].size_bytes)),
                6: (INTEGER32, lambda row: row[1].used_bytes // _unit(row[1].size_bytes)),
            },
        )

    def _device_objects(self) -> Iterator[ObjectType]:
        yield from columns(
            _DEVICE_ENTRY,
            self._devices,
            {
                1: (INTEGER32, lambda device: device.number),
                2: (OBJECT_ID, lambda device: device.kind),
                3: (DISPLAY_STRING, lambda device: shortened(device.description, _DESCRIPTION_MAX)),
                4: (OBJECT_ID, lambda _: NO_OBJECT),
                5: (_DEVICE_STATUS, lambda device: 2 if device.up else 5),
            },
        )
        yield from columns(
            _PROCESSOR_ENTRY,
            self._processors,
            {
                1: (OBJECT_ID, lambda _: NO_OBJECT),
                2: (_PERCENT, lambda load: None if load is None else round(load * 100)),
            },
        )
        yield from columns(_NETWORK_ENTRY, self._networks, {1: (INTEGER32, lambda one: one.number)})

    def _up(self) -> int | None:
        if self._figures is None:
            return None
        return (int(self._figures.up_s * 100) + self._uptime.ticks() - self._read_ticks) & _U32

    def _memory(self) -> int | None:
        return min(self._figures.memory_bytes // 1024, _INT32) if self._figures else None


async def keep_reading(
    machine: Machine,
    show: Callable[[MachineFigures], None],
    interest: Interest,
    *,
    told: bool,
    interval_s: float = _INTERVAL_S,
) -> None:
    """Read the machine now and again, off the loop, until cancelled.

    Rarely while nobody asks, unless somebody is to be told of links that go down.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            show(await loop.run_in_executor(None, machine.read, wall_clock()))
        except OSError as error:
            logger.warning("the machine cannot be read: %s", error)
        await asyncio.sleep(interval_s)
        if not told:
            await interest.wait(at_most_s=_RARELY_S)


def _is_told_of(one: InterfaceFigures) -> bool:
    """Whether ifLinkUpDownTrapEnable is enabled(1): a loopback interface has no link."""
    return not one.loopback


def _admin(one: InterfaceFigures) -> int:
    return 1 if one.wanted_up else 2


def _operational(one: InterfaceFigures) -> int:
    return 1 if one.up else 2


def _storage_type(one: StorageFigures) -> Oid:
    if one.virtual:
        return _VIRTUAL_MEMORY
    if one.memory:
        return _RAM if one.name == "Physical memory" else _RAM_DISK
    return _FIXED_DISK


def _unit(size_bytes: int) -> int:
    """Allocation unit in which the size still is an Integer32."""
    unit = _UNIT_BYTES
    while size_bytes // unit > _INT32:
        unit *= 2
    return unit
