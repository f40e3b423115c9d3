"""MEDIA-STATION-CENTER-MIB: a distribution center as a network management system sees it: figures in memory, and tables
of the registry that are read as they are walked."""

from collections.abc import Callable, Iterator, Mapping

from distribution_center.center_figures import CenterCounters, CenterFigures, IngestFigures, StationFigures
from distribution_center.snmp.tables import CenterTables
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.alarms import AlarmCause, AlarmKind, Alarms, Severity, shortened
from media_network.snmp.objects.arcs import CENTER
from media_network.snmp.objects.notification import Carried, Notification, NotificationType, notification
from media_network.snmp.objects.numbering import Numbering
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.sought_rows import SoughtRows
from media_network.snmp.value import (
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    OCTET_STRING,
    TRUTH_VALUE,
    enumerated,
    truth,
)

_CENTER = (*CENTER, 1, 1)
_REGISTRY = (*CENTER, 1, 2)
_PROGRAM_ENTRY = (*CENTER, 1, 3, 1)
_STATION_ENTRY = (*CENTER, 1, 4, 1)
_LOCATION_ENTRY = (*CENTER, 1, 5, 1)
_INGEST_ENTRY = (*CENTER, 1, 6, 1)
_INGESTS = (*CENTER, 1, 7)
_INGEST_STATE = enumerated(waiting=1, running=2, storing=3, done=4, failed=5, cancelled=6)
_FAILED = 5
_UNDER_WAY = frozenset({1, 2, 3})
_TITLE_MAX = 255

STATION_SILENT = NotificationType(
    "msdStationSilent",
    (*CENTER, 0, 1),
    (
        Carried("msdStationName", (*_STATION_ENTRY, 2), OCTET_STRING),
        Carried("msdStationDirector", (*_STATION_ENTRY, 4), DISPLAY_STRING),
        Carried("msdStationSilence", (*_STATION_ENTRY, 8), GAUGE32),
    ),
)
STATION_HEARD = NotificationType(
    "msdStationHeard",
    (*CENTER, 0, 2),
    (
        Carried("msdStationName", (*_STATION_ENTRY, 2), OCTET_STRING),
        Carried("msdStationDirector", (*_STATION_ENTRY, 4), DISPLAY_STRING),
        Carried("msdStationEpoch", (*_STATION_ENTRY, 5), GAUGE32),
    ),
)
INGEST_FAILED = NotificationType(
    "msdIngestFailed",
    (*CENTER, 0, 3),
    (
        Carried("msdIngestProgram", (*_INGEST_ENTRY, 2), OCTET_STRING),
        Carried("msdIngestCause", (*_INGEST_ENTRY, 5), DISPLAY_STRING),
    ),
)
CENTER_NOTIFICATIONS = (STATION_SILENT, STATION_HEARD, INGEST_FAILED)

_COUNTERS: Mapping[Oid, Callable[[CenterCounters], int]] = {
    (*_REGISTRY, 1): lambda center: center.registrations,
    (*_REGISTRY, 2): lambda center: center.full_reports,
    (*_REGISTRY, 3): lambda center: center.locations_added,
    (*_REGISTRY, 4): lambda center: center.locations_removed,
    (*_REGISTRY, 5): lambda center: center.stale_refused,
    (*_REGISTRY, 7): lambda center: center.orders_done,
    (*_INGESTS, 2): lambda center: center.ingests_done,
    (*_INGESTS, 3): lambda center: center.ingests_failed,
}
"""Name of the object, and the figure it shows."""


class CenterObjects:
    """A distribution center."""

    def __init__(
        self,
        alarms: Alarms,
        tell: Callable[[Notification], None],
        tables: CenterTables,
        clock: Callable[[], float],
    ) -> None:
        self._alarms = alarms
        self._tell = tell
        self._figures = CenterFigures(name="", home="", counted=CenterCounters())
        self._programs = SoughtRows(tables.programs, 1, clock)
        self._stations = SoughtRows(tables.stations, 1, clock)
        self._locations = SoughtRows(tables.holdings, 2, clock)
        self._ingests = Rows()
        self._ingest_numbers = Numbering()
        self._failed: set[str] = set()
        self._troubled: dict[str, str] = {}

    def update(self, figures: CenterFigures) -> None:
        """Show the center like this from now on, and tell what is new."""
        self._figures = figures
        ingests = self._ingest_numbers.numbers({ingest.ingest: None for ingest in figures.ingests}.keys())
        replace_changed(self._ingests, {(ingests[one.ingest],): one for one in figures.ingests})
        for station in figures.fell_silent:
            self._tell_of_station(STATION_SILENT, station, wrong=True)
        for station in figures.came_back:
            self._tell_of_station(STATION_HEARD, station, wrong=False)
        for ingest in figures.ingests:
            self._watch_ingest(ingest, ingests[ingest.ingest])
        self._failed &= {ingest.ingest for ingest in figures.ingests}
        for about, text in {**self._troubled, **figures.registry_troubles}.items():
            cause = AlarmCause(kind=AlarmKind.REGISTRY_IMPAIRED, severity=Severity.CRITICAL, resource=about, text=text)
            self._alarms.set_alarm(cause, wrong=about in figures.registry_troubles)
        self._troubled = dict(figures.registry_troubles)

    def _tell_of_station(self, kind: NotificationType, station: StationFigures, *, wrong: bool) -> None:
        values = {
            "msdStationName": station.station.encode(),
            "msdStationDirector": station.director,
            "msdStationEpoch": station.epoch,
            "msdStationSilence": station.silent_ms or 0,
        }
        self._tell(notification(kind, (station.number,), values))
        cause = AlarmCause(
            kind=AlarmKind.STATION_SILENT,
            severity=Severity.MAJOR,
            resource=station.station,
            text=f"The director of media station {station.station} has not been heard in time.",
        )
        self._alarms.set_alarm(cause, wrong=wrong)

    def _watch_ingest(self, ingest: IngestFigures, number: int) -> None:
        if ingest.state != "failed" or ingest.ingest in self._failed:
            return
        self._failed.add(ingest.ingest)
        values = {
            "msdIngestProgram": ingest.program.encode(),
            "msdIngestCause": shortened(ingest.cause, _TITLE_MAX),
        }
        self._tell(notification(INGEST_FAILED, (number,), values))

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield scalar((*_CENTER, 1), DISPLAY_STRING, lambda: self._figures.name)
        yield scalar((*_CENTER, 2), OCTET_STRING, self._home)
        yield scalar((*_CENTER, 3), GAUGE32, lambda: self._figures.programs)
        yield scalar((*_CENTER, 4), GAUGE32, lambda: self._figures.published)
        yield scalar((*_CENTER, 5), GAUGE32, lambda: self._figures.stations)
        yield scalar((*_CENTER, 6), GAUGE32, lambda: self._figures.silent)
        yield scalar((*_CENTER, 7), COUNTER64, lambda: self._figures.held_segments)
        yield scalar((*_CENTER, 8), COUNTER64, lambda: self._figures.program_segments)
        yield from self._counted()
        yield from self._tables()

    def _home(self) -> bytes:
        return self._figures.home.encode()

    def _counted(self) -> Iterator[ObjectType]:
        def of_center(oid: Oid, read: Callable[[CenterCounters], int]) -> ObjectType:
            return scalar(oid, COUNTER64, lambda: read(self._figures.counted))

        for oid, read in _COUNTERS.items():
            yield of_center(oid, read)
        yield scalar((*_REGISTRY, 6), GAUGE32, lambda: self._figures.orders_open)
        yield scalar((*_INGESTS, 1), GAUGE32, self._ingests_active)

    def _ingests_active(self) -> int:
        return sum(_state(one) in _UNDER_WAY for one in self._figures.ingests)

    def _tables(self) -> Iterator[ObjectType]:
        yield from columns(
            _PROGRAM_ENTRY,
            self._programs,
            {
                2: (OCTET_STRING, lambda one: one.program.encode()),
                3: (DISPLAY_STRING, lambda one: shortened(one.title, _TITLE_MAX)),
                4: (TRUTH_VALUE, lambda one: truth(one.published)),
                5: (GAUGE32, lambda one: one.segments),
                6: (COUNTER64, lambda one: one.length_bytes),
                7: (GAUGE32, lambda one: one.duration_ms // 1000),
                8: (GAUGE32, lambda one: one.rate_bps // 1000),
                9: (GAUGE32, lambda one: one.whole),
            },
        )
        yield from columns(
            _STATION_ENTRY,
            self._stations,
            {
                2: (OCTET_STRING, lambda one: one.station.encode()),
                3: (TRUTH_VALUE, lambda one: truth(one.home)),
                4: (DISPLAY_STRING, lambda one: one.director),
                5: (GAUGE32, lambda one: one.epoch),
                6: (GAUGE32, lambda one: one.engines),
                7: (GAUGE32, lambda one: one.whole),
                8: (GAUGE32, lambda one: one.silent_ms),
            },
        )
        yield from columns(_LOCATION_ENTRY, self._locations, {1: (GAUGE32, lambda held: held)})
        yield from columns(
            _INGEST_ENTRY,
            self._ingests,
            {
                2: (OCTET_STRING, lambda one: one.program.encode()),
                3: (_INGEST_STATE, _state),
                4: (GAUGE32, lambda one: round(one.progress * 100)),
                5: (DISPLAY_STRING, lambda one: shortened(one.cause, _TITLE_MAX)),
            },
        )


def _state(ingest: IngestFigures) -> int:
    return (_INGEST_STATE.names or {}).get(ingest.state, _FAILED)
