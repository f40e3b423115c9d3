"""What a poll says: series for the graphs, causes of alarms, and which blades and engines there are. No I/O."""

from collections.abc import Iterator

from msgspec import Struct

from distribution_center.network_management.cause import AlarmSeverity, AlarmSource, Cause
from distribution_center.network_management.component import Component
from distribution_center.network_management.history import Sample
from distribution_center.network_management.objects import Looked, Row
from media_network.snmp.ber import Oid
from media_network.snmp.objects.alarms import AlarmKind
from media_network.snmp.question import Value

_GAUGES = {
    "mssPushStreams": ("streams", 1.0),
    "mssCopiesActive": ("copies", 1.0),
    "mssDirectorSessions": ("sessions", 1.0),
    "mssStoreSegments": ("segments", 1.0),
    "mssStoreFree": ("store_free_bytes", 1.0),
    "mssCapacity": ("capacity_bps", 1000.0),
    "mscBladesActive": ("blades_active", 1.0),
    "mscPowerObserved": ("power_w", 0.001),
    "mscPowerGranted": ("power_granted_w", 0.001),
    "mscPowerBudget": ("power_budget_w", 0.001),
    "msdPrograms": ("programs", 1.0),
    "msdStations": ("stations", 1.0),
    "msdLocations": ("locations", 1.0),
    "mshCentersAway": ("centers_away", 1.0),
    "mshPrograms": ("programs", 1.0),
    "mshOrdersOpen": ("orders_open", 1.0),
}
"""Metric and factor of an object."""
_SENSOR_METRICS = {8: "temperature_c", 10: "fan_rpm", 4: "voltage_v", 6: "power_w", 5: "current_a"}
"""By EntitySensorDataType."""
_EXPONENT_MAX = 33
"""Yocto with nine decimal places (RFC 3433): more is nonsense."""
_RATE_OVER_S = 0.5
"""Over less a rate says nothing."""
_TEXT_OCTETS = 255
"""Of a DisplayString; nobody gets more onto the page, or into the history."""
_SENSOR_OK = 1
_SCALE_UNITS = 9
"""EntitySensorDataScale counts thousands from here."""
_KINDS = {kind.value: kind.name.lower().replace("_", " ") for kind in AlarmKind}
_SEVERITIES = {severity.value: severity for severity in AlarmSeverity}
HOT_SWAP = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7")
ROLES = {2: "director", 3: "engine"}
_ADMIN = {1: "", 2: "draining", 3: "inactive"}


class SlotView(Struct, frozen=True, kw_only=True):
    """A slot as the chassis manager sees it."""

    slot: int
    hot_swap: str
    role: str
    admin: str
    host: str
    """IPv4 address of the blade, empty if unknown."""
    streams: int | None
    power_w: float | None


class PolledCounters(Struct):
    """Counters of the poll before, from which rates come."""

    uptime: int = 0
    at: float = float("-inf")
    values: dict[tuple[str, str], int] = {}
    rates: tuple[Sample, ...] = ()
    """What came of them."""


def samples(
    component: Component, looked: Looked, names: dict[Oid, Row], before: PolledCounters, at: float
) -> list[Sample]:
    """All series of a poll made `at`; `before` is brought up to date. Rates begin with the second poll, and after an
    agent's restart with the second one from there.
    """
    found = [
        Sample(component.component, metric, "", number * factor)
        for name, (metric, factor) in _GAUGES.items()
        if isinstance(number := looked.scalars.get(name), int)
    ]
    found += _sensors(component, looked.tables.get("sensors", {}), names)
    found += _rates(component, looked, before, at)
    return found


def causes(component: Component, looked: Looked) -> list[Cause]:
    """What an agent says is wrong."""
    return [_cause(component, row) for row in looked.tables.get("alarms", {}).values()]


def slots(looked: Looked) -> list[SlotView]:
    """The slots that a chassis manager sees."""
    return [_slot(index[0], row) for index, row in sorted(looked.tables.get("slots", {}).items()) if len(index) == 1]


def engines(looked: Looked) -> dict[int, str]:
    """Hosts of the engines that a director has, by slot."""
    rows = looked.tables.get("engines", {}).items()
    return {index[0]: host for index, row in rows if len(index) == 1 and (host := _host(row.get("mssEngineAddress")))}


def text(value: Value | None) -> str:
    """A string that an agent gave, safe to be shown."""
    if not isinstance(value, bytes):
        return ""
    return "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for each in value[:_TEXT_OCTETS].decode(errors="replace")
    )


_RATES = frozenset({"sent_bps", "channel_bps", "pulls_per_s", "redirects_per_s", "hand_overs_per_s"})
METRICS = frozenset({*(metric for metric, _ in _GAUGES.values()), *_SENSOR_METRICS.values(), *_RATES})
"""All that a sample can be of."""


def _sensors(component: Component, rows: dict[Oid, Row], names: dict[Oid, Row]) -> Iterator[Sample]:
    for index, row in rows.items():
        known = names.get(index, {})
        metric = _SENSOR_METRICS.get(_number(known.get("entPhySensorType")))
        value = row.get("entPhySensorValue")
        if metric and isinstance(value, int) and _number(row.get("entPhySensorOperStatus"), _SENSOR_OK) == _SENSOR_OK:
            scale = 3 * (_number(known.get("entPhySensorScale"), _SCALE_UNITS) - _SCALE_UNITS)
            exponent = scale - _number(known.get("entPhySensorPrecision"))
            if abs(exponent) <= _EXPONENT_MAX:
                yield Sample(component.component, metric, text(known.get("entPhysicalName")), value * 10.0**exponent)


def _rates(component: Component, looked: Looked, before: PolledCounters, at: float) -> Iterator[Sample]:
    uptime = _number(looked.scalars.get("sysUpTime"))
    if uptime < before.uptime:
        before.values = {}  # it has restarted, and counts from 0
    elif at - before.at < _RATE_OVER_S:
        yield from before.rates  # too short a time: the rates of before stand
        return
    counted = dict(_counted(looked))
    sums: dict[tuple[str, str], float] = {}
    for (metric, part), number in counted.items():
        grown = number - before.values.get((metric, part), number + 1)
        if grown >= 0:
            key = (metric.partition("/")[0], part)
            sums[key] = sums.get(key, 0.0) + grown / (at - before.at) * (8 if key[0].endswith("bps") else 1)
    rates = tuple(Sample(component.component, metric, part, rate) for (metric, part), rate in sums.items())
    before.uptime, before.at, before.values, before.rates = uptime, at, counted, rates
    yield from rates


def _counted(looked: Looked) -> Iterator[tuple[tuple[str, str], int]]:
    """Counters by metric (what stands before a slash is summed up) and part."""
    for name, metric in (
        ("mssPullBytes", "sent_bps/pull"),
        ("mssPushBytes", "sent_bps/push"),
        ("mssPullRequests", "pulls_per_s"),
        ("mssDirectorRedirects", "redirects_per_s"),
        ("mssDirectorHandOvers", "hand_overs_per_s"),
    ):
        if isinstance(number := looked.scalars.get(name), int):
            yield (metric, ""), number
    for index, row in looked.tables.get("channels", {}).items():
        part = text(row.get("mssChannelName")) or ".".join(map(str, index))
        for name, metric in (
            ("mssChannelReadBytes", "channel_bps/read"),
            ("mssChannelWrittenBytes", "channel_bps/write"),
        ):
            if isinstance(number := row.get(name), int):
                yield (metric, part), number


def _cause(component: Component, row: Row) -> Cause:
    kind = _number(row.get("msaAlarmKind"))
    severity = _number(row.get("msaAlarmSeverity"))
    slot = _number(row.get("msaAlarmSlot"))
    resource = text(row.get("msaAlarmResource"))
    return Cause(
        component=component.component,
        source=AlarmSource.AGENT,
        kind=_KINDS.get(kind, "other"),
        severity=_SEVERITIES.get(severity, AlarmSeverity.INDETERMINATE),
        slot=0 if component.slot else slot,
        resource=resource,
        text=text(row.get("msaAlarmText")),
    )


def _slot(slot: int, row: Row) -> SlotView:
    state = _number(row.get("mscSlotHotSwapState"))
    streams, power = row.get("mscSlotStreams"), row.get("mscSlotPowerObserved")
    return SlotView(
        slot=slot,
        hot_swap=HOT_SWAP[state] if 0 <= state < len(HOT_SWAP) else "",
        role=ROLES.get(_number(row.get("mscSlotRole")), ""),
        admin=_ADMIN.get(_number(row.get("mscSlotAdminState")), ""),
        host=_host(row.get("mscSlotAddress")),
        streams=streams if isinstance(streams, int) else None,
        power_w=power / 1000 if isinstance(power, int) else None,
    )


def _host(value: Value | None) -> str:
    """An InetAddress of four octets."""
    return ".".join(map(str, value)) if isinstance(value, bytes) and len(value) == 4 else ""


def _number(value: Value | None, otherwise: int = 0) -> int:
    return value if isinstance(value, int) else otherwise
