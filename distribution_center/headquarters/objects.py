"""MEDIA-STATION-HEADQUARTERS-MIB: a headquarters as a network management system sees it, from figures in memory."""

from collections.abc import Callable, Iterator, Mapping

from distribution_center.headquarters.figures import HeadquartersFigures, OrderCounters
from media_network.messages.headquarters import CenterRow
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.alarms import AlarmCause, AlarmKind, Alarms, Severity
from media_network.snmp.objects.arcs import HEADQUARTERS
from media_network.snmp.objects.notification import Carried, Notification, NotificationType, notification
from media_network.snmp.objects.numbering import Numbering
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.value import COUNTER64, DISPLAY_STRING, GAUGE32, TRUTH_VALUE, truth

_HEADQUARTERS = (*HEADQUARTERS, 1, 1)
_ORDERS = (*HEADQUARTERS, 1, 2)
_CENTER_ENTRY = (*HEADQUARTERS, 1, 3, 1)
_CARRIED = (
    Carried("mshCenterName", (*_CENTER_ENTRY, 2), DISPLAY_STRING),
    Carried("mshCenterAddress", (*_CENTER_ENTRY, 3), DISPLAY_STRING),
)
CENTER_AWAY = NotificationType("mshCenterAway", (*HEADQUARTERS, 0, 1), _CARRIED)
CENTER_BACK = NotificationType("mshCenterBack", (*HEADQUARTERS, 0, 2), _CARRIED)
HEADQUARTERS_NOTIFICATIONS = (CENTER_AWAY, CENTER_BACK)

_COUNTERS: Mapping[Oid, Callable[[OrderCounters], int]] = {
    (*_ORDERS, 2): lambda orders: orders.done,
    (*_ORDERS, 3): lambda orders: orders.failed,
    (*_ORDERS, 4): lambda orders: orders.cancelled,
}
"""Name of the object, and the figure it shows."""


class HeadquartersObjects:
    """A headquarters."""

    def __init__(self, alarms: Alarms, tell: Callable[[Notification], None]) -> None:
        self._alarms = alarms
        self._tell = tell
        self._figures = HeadquartersFigures(counted=OrderCounters())
        self._centers = Rows()
        self._numbers = Numbering()
        self._reachable: dict[str, bool] = {}
        """As it was told last, by center."""

    def update(self, figures: HeadquartersFigures) -> None:
        """Show the headquarters like this from now on, and tell what is new."""
        self._figures = figures
        numbers = self._numbers.numbers({center.center: None for center in figures.centers}.keys())
        replace_changed(self._centers, {(numbers[one.center],): one for one in figures.centers})
        for center in figures.centers:
            if center.center not in figures.unasked:
                self._watch(center, numbers[center.center])

    def _watch(self, center: CenterRow, number: int) -> None:
        before = self._reachable.get(center.center)
        if before is not center.reachable:
            self._reachable[center.center] = center.reachable
            values = {"mshCenterName": center.center, "mshCenterAddress": center.address}
            self._tell(notification(CENTER_BACK if center.reachable else CENTER_AWAY, (number,), values))
        cause = AlarmCause(
            kind=AlarmKind.CENTER_AWAY,
            severity=Severity.MAJOR,
            resource=center.center,
            text=f"Distribution center {center.center} does not answer the headquarters: {center.obstacle}.",
        )
        self._alarms.set_alarm(cause, wrong=not center.reachable)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield scalar((*_HEADQUARTERS, 1), GAUGE32, lambda: len(self._figures.centers))
        yield scalar((*_HEADQUARTERS, 2), GAUGE32, lambda: sum(not one.reachable for one in self._figures.centers))
        yield scalar((*_HEADQUARTERS, 3), GAUGE32, lambda: sum(one.programs for one in self._figures.centers))
        yield scalar((*_ORDERS, 1), GAUGE32, lambda: sum(one.open_downloads for one in self._figures.centers))

        def counted(oid: Oid, read: Callable[[OrderCounters], int]) -> ObjectType:
            return scalar(oid, COUNTER64, lambda: read(self._figures.counted))

        for oid, read in _COUNTERS.items():
            yield counted(oid, read)
        yield from columns(
            _CENTER_ENTRY,
            self._centers,
            {
                2: (DISPLAY_STRING, lambda one: one.center),
                3: (DISPLAY_STRING, lambda one: one.address),
                4: (TRUTH_VALUE, lambda one: truth(one.reachable)),
                5: (GAUGE32, lambda one: None if one.heard_ms is None else one.heard_ms // 1000),
                6: (GAUGE32, lambda one: one.programs),
                7: (GAUGE32, lambda one: one.open_downloads),
            },
        )
