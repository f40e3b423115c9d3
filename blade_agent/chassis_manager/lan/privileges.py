"""What a command takes of the user who has it passed on to a blade (IPMI 2.0, appendix G; PICMG 3.0, 3.9).

The controllers trust their backplane, so this is the place where users are told apart.
"""

from blade_agent.backplane.command import (
    GROUP_BYTES,
    MEDIA_STATION,
    NET_FN_APPLICATION,
    NET_FN_GROUP,
    NET_FN_OEM,
    PICMG,
)
from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.users import Privilege

_NET_FN_CHASSIS = 0x00
_NET_FN_SENSOR = 0x04
_NET_FN_STORAGE = 0x0A

_READS: dict[int, frozenset[int]] = {
    _NET_FN_CHASSIS: frozenset((0x00, 0x01, 0x07, 0x09, 0x0F)),
    _NET_FN_SENSOR: frozenset((0x01, 0x20, 0x21, 0x22, 0x23, 0x25, 0x27, 0x29, 0x2B, 0x2D, 0x2F)),
    NET_FN_APPLICATION: frozenset((0x01, 0x04, 0x07, 0x08, 0x25)),
    _NET_FN_STORAGE: frozenset((0x10, 0x11, 0x20, 0x21, 0x22, 0x23, 0x40, 0x41, 0x42, 0x43, 0x48)),
    NET_FN_GROUP: frozenset((0x00, 0x01, 0x02, 0x05, 0x06, 0x08, 0x0B, 0x0D, 0x0F, 0x10, 0x12, 0x14, 0x16, 0x1B, 0x1E, 0x21, 0x22)),
    NET_FN_OEM: frozenset((0x01, 0x11, 0x17)),
}
_ACTIONS: dict[int, frozenset[int]] = {
    _NET_FN_CHASSIS: frozenset((0x02, 0x03, 0x04)),
    _NET_FN_SENSOR: frozenset((0x00, 0x02, 0x24, 0x26, 0x28, 0x2A)),
    NET_FN_APPLICATION: frozenset((0x22, 0x24)),
    _NET_FN_STORAGE: frozenset((0x12, 0x44, 0x47, 0x49)),
    NET_FN_GROUP: frozenset((0x03, 0x04, 0x07, 0x09, 0x0A, 0x0C, 0x11, 0x13, 0x15, 0x1F, 0x20)),
}
_GROUPS = frozenset((b"", PICMG, MEDIA_STATION))


def needed_privilege(request: Request) -> Privilege:
    """Give the least privilege for a request: what is not known takes an administrator."""
    group = request.data[: GROUP_BYTES.get(request.net_fn, 0)]
    if group in _GROUPS:
        if request.command in _READS.get(request.net_fn, ()):
            return Privilege.USER
        if request.command in _ACTIONS.get(request.net_fn, ()):
            return Privilege.OPERATOR
    return Privilege.ADMINISTRATOR
