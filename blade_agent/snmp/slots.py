"""The slots of a chassis: mscSlotTable, mscLineTable and mscLedTable, and what a slot has been through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.hardware.board import LedReading
from blade_agent.snmp.notification_types import BLADE_ROLE, HOT_SWAP_STATE, SLOT_ENTRY
from blade_agent.snmp.sources import SlotOrders, SlotPicture, value_of
from media_network.address import Address
from media_network.snmp.ber import Oid
from media_network.snmp.index import Assignment, Change, ObjectType, Rows
from media_network.snmp.objects.arcs import CHASSIS
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.value import (
    COUNTER32,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OCTET_STRING,
    TIME_TICKS,
    ErrorStatus,
    ValueRefused,
    enumerated,
)

_LINE_ENTRY = (*CHASSIS, 1, 3, 2, 1)
_LED_ENTRY = (*CHASSIS, 1, 3, 3, 1)
_MAIN_BOARD = enumerated(unknown=1, off=2, starting=3, ready=4, stopping=5, failed=6)
_ADMIN = enumerated(active=1, draining=2, inactive=3)
_ADDRESS_TYPE = enumerated(unknown=0, ipv4=1, ipv6=2, ipv4z=3, ipv6z=4, dns=16)
_ROLES = {Role.UNASSIGNED: 1, Role.DIRECTOR: 2, Role.ENGINE: 3}
_MAIN_BOARDS = {
    MainBoardState.OFF: 2,
    MainBoardState.STARTING: 3,
    MainBoardState.READY: 4,
    MainBoardState.STOPPING: 5,
    MainBoardState.FAILED: 6,
}
_IPV4 = 1


class AdminState(IntEnum):
    """BladeAdminState."""

    ACTIVE = 1
    DRAINING = 2
    INACTIVE = 3


@dataclass
class SlotHistory:
    """A slot, and what the agent saw of it since it started."""

    picture: SlotPicture
    entity: int
    """Number of its blade."""
    before: HotSwapState
    changed_ticks: int = 0
    starts: int = 0
    losses: int = 0
    boot_id: int | None = None

    def take(self, picture: SlotPicture, ticks: int) -> None:
        """Go on to a newer picture."""
        if picture.hot_swap is not self.picture.hot_swap:
            self.before = self.picture.hot_swap
            self.changed_ticks = ticks
            self.losses += picture.hot_swap is HotSwapState.M7_COMMUNICATION_LOST
        self.picture = picture
        if picture.boot_id is not None and picture.boot_id != self.boot_id:
            self.boot_id = picture.boot_id
            self.starts += 1


class SlotTables:
    """The slots, their lines and lights."""

    def __init__(self, entity_of: Callable[[int], int], orders: SlotOrders | None) -> None:
        """`entity_of` gives the number of the blade in a slot; without orders nothing can be written."""
        self._entity_of = entity_of
        self._orders = orders
        self.slots = Rows()
        self._lines = Rows()
        self._leds = Rows()

    def history(self, slot: int) -> SlotHistory | None:
        """What was seen of a slot; None of one that has not been seen."""
        position = self.slots.indexes.index((slot,)) if (slot,) in self.slots else None
        found: SlotHistory | None = None if position is None else self.slots.rows[position]
        return found

    def update(self, pictures: tuple[SlotPicture, ...], ticks: int) -> None:
        """Go on to newer pictures of the slots."""
        lines: dict[Oid, SlotHistory] = {}
        lights: dict[Oid, LedReading] = {}
        wanted: dict[Oid, SlotHistory] = {}
        for picture in pictures:
            seen = self.history(picture.slot) or SlotHistory(
                picture=picture, entity=self._entity_of(picture.slot), before=picture.hot_swap
            )
            seen.take(picture, ticks)
            wanted[picture.slot,] = seen
            if _has_line(picture):
                lines[picture.slot,] = seen
            for number, light in enumerate(picture.hardware.leds if picture.hardware else ()):
                lights[picture.slot, number] = light
        replace_changed(self.slots, wanted)
        replace_changed(self._lines, lines)
        replace_changed(self._leds, lights)

    def count(self, picture: SlotPicture) -> None:
        """Take a newer picture of a slot, in which nothing has changed but what its line counts."""
        seen = self.history(picture.slot)
        if seen is not None:
            seen.picture = picture

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        orders = self._orders
        yield from columns(
            SLOT_ENTRY,
            self.slots,
            {
                2: (HOT_SWAP_STATE, lambda seen: int(seen.picture.hot_swap)),
                3: (HOT_SWAP_STATE, lambda seen: int(seen.before)),
                4: (TIME_TICKS, lambda seen: seen.changed_ticks),
                5: (_ADMIN, _admin) if orders is None else (_ADMIN, _admin, self._prepare_admin),
                6: (_SECONDS, _identify) if orders is None else (_SECONDS, _identify, self._prepare_identify),
                7: (BLADE_ROLE, lambda seen: role_number(seen.picture.role)),
                8: (GAUGE32, lambda seen: seen.picture.epoch),
                9: (_MAIN_BOARD, lambda seen: _MAIN_BOARDS.get(seen.picture.main_board, 1)),
                10: (_ADDRESS_TYPE, lambda seen: _IPV4 if seen.picture.address else 0),
                11: (OCTET_STRING, lambda seen: octets_of(seen.picture.address)),
                12: (GAUGE32, lambda seen: seen.picture.address.port if seen.picture.address else 0),
                13: (GAUGE32, lambda seen: milliwatts(seen.picture.desired_w)),
                14: (GAUGE32, lambda seen: milliwatts(seen.picture.granted_w)),
                15: (GAUGE32, lambda seen: milliwatts(seen.picture.observed_w)),
                16: (GAUGE32, lambda seen: seen.picture.streams),
                17: (COUNTER32, lambda seen: seen.starts),
                18: (COUNTER32, lambda seen: seen.losses),
                19: (INTEGER32, _entity),
                20: (GAUGE32, lambda seen: seen.picture.version),
                21: (DISPLAY_STRING, _waits_for),
            },
        )
        yield from columns(
            _LINE_ENTRY,
            self._lines,
            {
                1: (COUNTER32, lambda seen: seen.picture.frame_faults),
                2: (COUNTER32, lambda seen: seen.picture.message_faults),
                3: (COUNTER32, lambda seen: seen.picture.asked and seen.picture.asked.requests),
                4: (COUNTER32, lambda seen: seen.picture.asked and seen.picture.asked.repeats),
                5: (COUNTER32, lambda seen: seen.picture.asked and seen.picture.asked.unanswered),
            },
        )
        yield from columns(
            _LED_ENTRY,
            self._leds,
            {2: (DISPLAY_STRING, lambda light: light.name), 3: (GAUGE32, _brightness)},
        )

    def _prepare_admin(self, seen: SlotHistory, wanted: int) -> Change:
        orders, slot, before = self._orders, seen.picture.slot, _admin(seen)
        if orders is None or seen.picture.hot_swap is HotSwapState.M0_NOT_INSTALLED:
            raise ValueRefused(ErrorStatus.INCONSISTENT_VALUE)
        order = {
            AdminState.ACTIVE: orders.activate,
            AdminState.DRAINING: orders.drain,
            AdminState.INACTIVE: orders.deactivate,
        }
        return Assignment(lambda: order[AdminState(wanted)](slot), lambda: order[AdminState(before)](slot))

    def _prepare_identify(self, seen: SlotHistory, seconds: int) -> Change:
        orders, slot, before = self._orders, seen.picture.slot, _identify(seen)
        if orders is None or seen.picture.hot_swap is HotSwapState.M0_NOT_INSTALLED:
            raise ValueRefused(ErrorStatus.INCONSISTENT_VALUE)
        return Assignment(lambda: orders.identify(slot, seconds), lambda: orders.identify(slot, before))


_SECONDS = INTEGER32.within((0, 255))
_LONGEST_TEXT = 255


def role_number(role: Role | None) -> int:
    """BladeRole; a blade that is not heard has none assigned as far as anybody knows."""
    return _ROLES[role or Role.UNASSIGNED]


def octets_of(address: Address | None) -> bytes:
    """InetAddress of type ipv4, or nothing."""
    return bytes(int(part) for part in address.host.split(".")) if address else b""


def milliwatts(watts: float | None) -> int | None:
    """The same power in milliwatts."""
    return None if watts is None else max(0, round(watts * 1000))


def _admin(seen: SlotHistory) -> int:
    if not seen.picture.wanted_in_service:
        return AdminState.INACTIVE
    return AdminState.DRAINING if seen.picture.draining else AdminState.ACTIVE


def _identify(seen: SlotHistory) -> int:
    return min(max(seen.picture.identify_s, 0), 255)


def _waits_for(seen: SlotHistory) -> str | None:
    return None if seen.picture.waits_for is None else seen.picture.waits_for[:_LONGEST_TEXT]


def _entity(seen: SlotHistory) -> int:
    return 0 if seen.picture.hot_swap is HotSwapState.M0_NOT_INSTALLED else seen.entity


def _has_line(picture: SlotPicture) -> bool:
    return any(counted is not None for counted in (picture.frame_faults, picture.message_faults, picture.asked))


def _brightness(light: LedReading) -> int | None:
    share = value_of(light.brightness)
    return None if share is None else round(share * 100)
