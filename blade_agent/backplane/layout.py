"""The data of a message as a typed value: construct, which has no types, wrapped in one place."""

import ipaddress
from collections.abc import Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

import construct
import msgspec
from msgspec import Struct

from media_network.address import Address

BodyT = TypeVar("BodyT", bound=Struct)


class WrongLength(Exception):
    """A body longer or shorter than its layout."""

    def __init__(self, length_bytes: int) -> None:
        super().__init__(f"a body of {length_bytes} bytes does not fit its layout")
        self.length_bytes = length_bytes


class InvalidField(Exception):
    """A body of the right length with a value that its layout does not know."""


class Nothing(Struct, frozen=True):
    """The body of a message without data."""


class Layout(Generic[BodyT]):
    """How a body of type `BodyT` lies on the wire: one construct field for each of its fields, by name, in order."""

    def __init__(self, body: type[BodyT], *fields: Any, lengths_bytes: tuple[int, int] | None = None) -> None:
        self._body = body
        self._fields = construct.Struct(*fields)
        self._shortest_bytes, self._longest_bytes = lengths_bytes or self._fixed_bytes()
        self._packed: tuple[BodyT, bytes] | None = None
        """The last body, and its octets: what is told again and again is nearly always the same."""

    def pack(self, body: BodyT) -> bytes:
        """Give the octets of a body made by this program."""
        before = self._packed
        if before is not None and before[0] == body:
            return before[1]
        octets: bytes = self._fields.build(msgspec.structs.asdict(body))
        self._packed = (body, octets)
        return octets

    def unpack(self, octets: bytes) -> BodyT:
        """Read a body.

        Raises WrongLength: fewer or more octets than the layout has; InvalidField: a value that the layout does not
        know.
        """
        if not self._shortest_bytes <= len(octets) <= self._longest_bytes:
            raise WrongLength(len(octets))
        try:
            values = self._fields.parse(octets)
        except (construct.ConstructError, UnicodeDecodeError) as error:
            raise InvalidField(str(error)) from error
        return self._body(**{name: values[name] for name in self._body.__struct_fields__})

    def _fixed_bytes(self) -> tuple[int, int]:
        length_bytes = int(self._fields.sizeof())
        return length_bytes, length_bytes


NOTHING = Layout(Nothing)


def single_bytes(*names: str) -> list[Any]:
    """Give fields of one byte each, numbers from 0 to 255."""
    return [name / construct.Int8ub for name in names]


def coded(codes: Mapping[Any, int], used: int = 0xFF) -> Any:
    """Give a one-byte field for the members of an Enum by their codes on the wire, in the bits that are `used`."""
    return construct.Mapping(low(used), dict(codes))


def numbered(members: type[Enum], used: int = 0xFF) -> Any:
    """Give a one-byte field for an Enum whose values are its codes on the wire, in the bits that are `used`."""
    return coded({member: member.value for member in members}, used)


def low(used: int) -> Any:
    """Give a one-byte field of which only some bits are used: what is reserved is not looked at (IPMI 2.0, 1.6)."""
    if used == 0xFF:
        return construct.Int8ub
    return construct.ExprAdapter(construct.Int8ub, lambda octet, _context: octet & used, lambda value, _context: value)


def optional(name: str, used: int = 0xFF) -> Any:
    """Give a field of one byte that need not be there."""
    return name / construct.Optional(low(used))


def _address(value: Any, _context: Any) -> Address | None:
    host, port = str(ipaddress.IPv4Address(bytes(value.host))), int(value.port)
    return Address(host, port) if port else None


def _address_value(address: Address | None, _context: Any) -> dict[str, Any]:
    if address is None:
        return {"host": bytes(4), "port": 0}
    return {"host": ipaddress.IPv4Address(address.host).packed, "port": address.port}


ADDRESS = construct.ExprAdapter(
    construct.Struct("host" / construct.Bytes(4), "port" / construct.Int16ul), _address, _address_value
)
"""IPv4 address (network order) and port (least significant byte first); port 0 means none."""
