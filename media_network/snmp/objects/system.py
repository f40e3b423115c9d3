"""What an agent is: the system group of SNMPv2-MIB (RFC 3418)."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from media_network.snmp.ber import Oid
from media_network.snmp.index import Assignment, Change, ObjectType, Rows, scalar
from media_network.snmp.objects.arcs import MIB_2, SNMP_MODULES
from media_network.snmp.objects.table import columns
from media_network.snmp.objects.times import Uptime
from media_network.snmp.value import DISPLAY_STRING, INTEGER32, OBJECT_ID, TIME_TICKS, ErrorStatus, ValueRefused

_SYSTEM = (*MIB_2, 1)
_SET_SERIAL_NUMBER = (*SNMP_MODULES, 1, 1, 6, 1)
_SERIALS = 1 << 31
_TEST_AND_INCREMENT = INTEGER32.within((0, _SERIALS - 1))
_APPLICATIONS = 64
"""sysServices of a host that serves applications; the layers below add theirs."""
_END_TO_END = 8


class SystemFacts(Struct, frozen=True, kw_only=True):
    """What an agent says of itself."""

    description: str
    product: Oid
    name: Callable[[], str]
    """Asked each time: a blade is named after its station, and may come to another one."""
    contact: str = ""
    location: str = ""


class ModuleFacts(Struct, frozen=True):
    """A module that the agent implements, for sysORTable."""

    identity: Oid
    description: str


class SystemObjects:
    """The system group."""

    def __init__(self, facts: SystemFacts, uptime: Uptime, modules: Sequence[ModuleFacts]) -> None:
        self._facts = facts
        self._uptime = uptime
        self._modules = Rows(((number,), module) for number, module in enumerate(modules, 1))
        self._set_serial = 0

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        facts = self._facts
        yield scalar((*_SYSTEM, 1), DISPLAY_STRING, lambda: facts.description)
        yield scalar((*_SYSTEM, 2), OBJECT_ID, lambda: facts.product)
        yield scalar((*_SYSTEM, 3), TIME_TICKS, self._uptime.ticks)
        yield scalar((*_SYSTEM, 4), DISPLAY_STRING, lambda: facts.contact)
        yield scalar((*_SYSTEM, 5), DISPLAY_STRING, facts.name)
        yield scalar((*_SYSTEM, 6), DISPLAY_STRING, lambda: facts.location)
        yield scalar((*_SYSTEM, 7), INTEGER32, lambda: _APPLICATIONS + _END_TO_END)
        # The modules of an agent are there from its start: sysORLastChange, and each sysORUpTime, is 0.
        yield scalar((*_SYSTEM, 8), TIME_TICKS, lambda: 0)
        yield from columns(
            (*_SYSTEM, 9, 1),
            self._modules,
            {
                2: (OBJECT_ID, lambda module: module.identity),
                3: (DISPLAY_STRING, lambda module: module.description),
                4: (TIME_TICKS, lambda _: 0),
            },
        )
        yield scalar(_SET_SERIAL_NUMBER, _TEST_AND_INCREMENT, lambda: self._set_serial, self._prepare_serial)

    def _prepare_serial(self, seen: int) -> Change:
        """Let a manager set what it has read, once: of two that read the same, one is refused (TestAndIncr)."""
        before = self._set_serial
        if seen != before:
            raise ValueRefused(ErrorStatus.INCONSISTENT_VALUE)

        def commit() -> None:
            self._set_serial = (before + 1) % _SERIALS

        def undo() -> None:
            self._set_serial = before

        return Assignment(commit, undo)
