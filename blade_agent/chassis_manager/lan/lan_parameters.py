"""The LAN parameters: where the manager is on the network, as its interface says (IPMI 2.0, 23.1 and 23.2).

They are read. What they say comes from the settings and the machine, and is set there.
"""

from typing import Final

from msgspec import Struct

from blade_agent.backplane.command import NET_FN_TRANSPORT, CommandCode
from blade_agent.backplane.message import CompletionCode, ParameterCompletion
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES
from blade_agent.chassis_manager.lan.command_table import LAN_CHANNEL, Asked, CommandRefused, Entry, channel_of
from blade_agent.chassis_manager.lan.users import Privilege
from blade_agent.hardware.interface import InterfaceFacts

_REVISION: Final = 0x11
_REVISION_ALONE: Final = 0x80
_READ_ONLY: Final = frozenset(range(27))
_SUITES: Final = 16
_PRIVILEGES_BYTES: Final = 9
_SOURCE_UNSPECIFIED: Final = b"\0"


class LanFacts(Struct, frozen=True, kw_only=True):
    """Where the manager is."""

    address: bytes
    port: int
    interface: InterfaceFacts = InterfaceFacts()


class LanParameters:
    """The parameters of the LAN channel."""

    def __init__(self) -> None:
        self.facts = LanFacts(address=bytes(4), port=0)
        """Where the manager is; whoever has the socket says it."""

    def entries(self) -> tuple[Entry, ...]:
        """Give the commands."""
        return (
            Entry(
                name="Set LAN Configuration Parameters",
                code=CommandCode(NET_FN_TRANSPORT, b"", 0x01),
                lengths_bytes=tuple(range(3, 24)),
                privilege=Privilege.ADMINISTRATOR,
                answer=_set,
            ),
            Entry(
                name="Get LAN Configuration Parameters",
                code=CommandCode(NET_FN_TRANSPORT, b"", 0x02),
                lengths_bytes=(4,),
                privilege=Privilege.OPERATOR,
                answer=self._get,
            ),
        )

    def _get(self, asked: Asked) -> bytes:
        _of_lan(asked.fields[0])
        facts = self.facts
        value = {
            0: b"\0",
            1: b"\0",
            2: bytes(5),
            3: facts.address,
            4: _SOURCE_UNSPECIFIED,
            5: facts.interface.hardware_address,
            6: facts.interface.mask,
            8: facts.port.to_bytes(2, "little"),
            12: facts.interface.gateway,
            22: bytes((len(CIPHER_SUITES),)),
            23: bytes((0, *(suite.number for suite in CIPHER_SUITES))).ljust(_SUITES + 1, b"\0"),
            24: _privileges(),
        }.get(asked.fields[1])
        if value is None:
            raise CommandRefused(ParameterCompletion.NOT_SUPPORTED)
        return bytes((_REVISION,)) + (b"" if asked.fields[0] & _REVISION_ALONE else value)


def _set(asked: Asked) -> bytes:
    _of_lan(asked.fields[0])
    known = asked.fields[1] in _READ_ONLY
    raise CommandRefused(ParameterCompletion.READ_ONLY if known else ParameterCompletion.NOT_SUPPORTED)


def _of_lan(octet: int) -> None:
    if channel_of(octet) != LAN_CHANNEL:
        raise CommandRefused(CompletionCode.INVALID_FIELD)


def _privileges() -> bytes:
    """Half a byte for each suite: every suite that there is lets an administrator in."""
    nibbles = sum(Privilege.ADMINISTRATOR << 4 * place for place in range(len(CIPHER_SUITES)))
    return b"\0" + nibbles.to_bytes(_PRIVILEGES_BYTES - 1, "little")
