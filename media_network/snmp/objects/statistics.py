"""What the engine counts and is: SNMPv2-MIB (snmp group), FRAMEWORK, MPD, USM and TARGET statistics (RFC 3411-3418)."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from media_network.snmp.counters import Counters
from media_network.snmp.index import ObjectType, scalar
from media_network.snmp.objects.arcs import MIB_2, SNMP_MODULES
from media_network.snmp.value import COUNTER32, INTEGER32, OCTET_STRING, enumerated

_SNMP = (*MIB_2, 11)
_FRAMEWORK = (*SNMP_MODULES, 10, 2, 1)
_MPD = (*SNMP_MODULES, 11, 2, 1)
_TARGET = (*SNMP_MODULES, 12, 1)
_USM = (*SNMP_MODULES, 15, 1, 1)
_TRAPS_ENABLED = enumerated(enabled=1, disabled=2)


class EngineFacts(Struct, frozen=True, kw_only=True):
    """The SNMP engine (RFC 3411, 5)."""

    engine_id: bytes
    boots: int
    seconds: Callable[[], int]
    """Time since the engine's last boot."""
    longest_message: int
    """Octets that it takes in one message."""


class EngineObjects:
    """The engine and its counters."""

    def __init__(self, facts: EngineFacts, counters: Counters, *, tells_failures: bool) -> None:
        """`tells_failures` is whether authenticationFailure is sent."""
        self._facts = facts
        self._counters = counters
        self._tells_failures = tells_failures

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        facts = self._facts
        yield scalar((*_FRAMEWORK, 1), OCTET_STRING, lambda: facts.engine_id)
        yield scalar((*_FRAMEWORK, 2), INTEGER32, lambda: facts.boots)
        yield scalar((*_FRAMEWORK, 3), INTEGER32, facts.seconds)
        yield scalar((*_FRAMEWORK, 4), INTEGER32, lambda: facts.longest_message)
        enabled = _TRAPS_ENABLED.names or {}
        told = enabled["enabled"] if self._tells_failures else enabled["disabled"]
        yield scalar((*_SNMP, 30), _TRAPS_ENABLED, lambda: told)
        yield from self._counted()

    def _counted(self) -> Iterator[ObjectType]:
        counters = self._counters
        yield scalar((*_SNMP, 1), COUNTER32, lambda: counters.in_packets)
        yield scalar((*_SNMP, 3), COUNTER32, lambda: counters.in_bad_versions)
        yield scalar((*_SNMP, 4), COUNTER32, lambda: counters.in_bad_community_names)
        yield scalar((*_SNMP, 5), COUNTER32, lambda: counters.in_bad_community_uses)
        yield scalar((*_SNMP, 6), COUNTER32, lambda: counters.in_asn_parse_errors)
        yield scalar((*_SNMP, 31), COUNTER32, lambda: counters.silent_drops)
        yield scalar((*_SNMP, 32), COUNTER32, lambda: 0)  # Nothing is forwarded by proxy.
        yield scalar((*_MPD, 1), COUNTER32, lambda: counters.unknown_security_models)
        yield scalar((*_MPD, 2), COUNTER32, lambda: counters.invalid_messages)
        yield scalar((*_MPD, 3), COUNTER32, lambda: counters.unknown_pdu_types)
        yield scalar((*_TARGET, 4), COUNTER32, lambda: counters.unavailable_contexts)
        yield scalar((*_TARGET, 5), COUNTER32, lambda: counters.unknown_contexts)
        yield scalar((*_USM, 1), COUNTER32, lambda: counters.unsupported_security_levels)
        yield scalar((*_USM, 2), COUNTER32, lambda: counters.not_in_time_windows)
        yield scalar((*_USM, 3), COUNTER32, lambda: counters.unknown_user_names)
        yield scalar((*_USM, 4), COUNTER32, lambda: counters.unknown_engine_ids)
        yield scalar((*_USM, 5), COUNTER32, lambda: counters.wrong_digests)
        yield scalar((*_USM, 6), COUNTER32, lambda: counters.decryption_errors)
