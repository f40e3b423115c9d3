"""What a command takes of the user who gives it, to 20h or to a blade (IPMI 2.0, appendix G; PICMG 3.0, 3.9).

The controllers trust their backplane, so this is the place where users are told apart. Every command that a blade or
the management board answers stands here: tests/blade_agent/chassis_manager/lan/test_commands_documented.py.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from blade_agent.backplane.command import (
    DCMI,
    MEDIA_STATION,
    NET_FN_APPLICATION,
    NET_FN_CHASSIS,
    NET_FN_GROUP,
    NET_FN_OEM,
    NET_FN_SENSOR,
    NET_FN_STORAGE,
    PICMG,
    CommandCode,
    code_of,
)
from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.users import Privilege

_STANDARD: Final = b""
_Numbers = Mapping[tuple[int, bytes], tuple[int, ...]]

_READS: Final[_Numbers] = {
    (NET_FN_CHASSIS, _STANDARD): (0x00, 0x01, 0x07, 0x09, 0x0F),
    (NET_FN_SENSOR, _STANDARD): (0x01, 0x20, 0x21, 0x22, 0x25, 0x27, 0x29, 0x2D, 0x2F),
    (NET_FN_APPLICATION, _STANDARD): (0x01, 0x04, 0x08, 0x25, 0x2F, 0x37, 0x42, 0x59),
    (NET_FN_STORAGE, _STANDARD): (0x10, 0x11, 0x20, 0x22, 0x23, 0x40, 0x42, 0x43, 0x48),
    (NET_FN_GROUP, PICMG): (
        *(0x00, 0x01, 0x02, 0x05, 0x06, 0x08, 0x0B, 0x0D, 0x10, 0x12, 0x14, 0x16, 0x1B, 0x1E, 0x21, 0x22),
        *(0x2E, 0x2F, 0x34, 0x36, 0x37),
    ),
    (NET_FN_GROUP, DCMI): (0x01, 0x02),
    (NET_FN_OEM, MEDIA_STATION): (0x01, 0x11, 0x17),
}
_ACTIONS: Final[_Numbers] = {
    (NET_FN_CHASSIS, _STANDARD): (0x02, 0x04, 0x06, 0x08),
    (NET_FN_SENSOR, _STANDARD): (0x00, 0x02, 0x24, 0x26, 0x28),
    (NET_FN_APPLICATION, _STANDARD): (0x22, 0x24),
    (NET_FN_STORAGE, _STANDARD): (0x12, 0x44, 0x47, 0x49),
    (NET_FN_GROUP, PICMG): (0x03, 0x04, 0x07, 0x09, 0x0A, 0x0C, 0x11, 0x13, 0x15, 0x1F, 0x20),
}
_OF_ADMINISTRATORS: Final[_Numbers] = {
    (NET_FN_APPLICATION, _STANDARD): (0x02, 0x03, 0x2E, 0x58),
    (NET_FN_STORAGE, _STANDARD): (0x46,),
    (NET_FN_GROUP, PICMG): (0x30, 0x31, 0x32, 0x33, 0x35, 0x38),
    (NET_FN_OEM, MEDIA_STATION): (0x12, 0x13, 0x14, 0x15, 0x16),
}


def _each(numbers: _Numbers, privilege: Privilege) -> Iterator[tuple[CommandCode, Privilege]]:
    for (net_fn, group), commands in numbers.items():
        for number in commands:
            yield CommandCode(net_fn, group, number), privilege


PRIVILEGES: Final[Mapping[CommandCode, Privilege]] = {
    **dict(_each(_READS, Privilege.USER)),
    **dict(_each(_ACTIONS, Privilege.OPERATOR)),
    **dict(_each(_OF_ADMINISTRATORS, Privilege.ADMINISTRATOR)),
}


def needed_privilege(request: Request) -> Privilege | None:
    """Give the least privilege for a request; None for a command that nobody here knows."""
    return PRIVILEGES.get(code_of(request))
