"""Requests of a shape that is known: what a manager sends next differs in a few octets from what it sent before.

A message that was read strictly and found good leaves its shape: the octets that are the same in the next one (tags,
lengths, engine id, user, community), and where those lie that are not. A message of the same length with the same
octets in the same places is of the same structure, and what it says elsewhere is looked at as strictly as before; any
other message is read from its beginning.
"""

from media_network.snmp import ber
from media_network.snmp.message import Header, Parameters
from media_network.snmp.pdu import Pdu

MAX_SHAPES = 128
"""No more are kept: a handful of managers, and for each the lengths of its requests."""
MAX_SHAPE_OCTETS = 1_024
"""Longer messages leave no shape: reading them is little beside answering them, and a shape keeps the last message."""


class PduShape:
    """A request's PDU, with all that is in front of it: another request id, and other bindings of the same length."""

    __slots__ = ("_before", "_length", "_middle", "_pdu", "_request", "_stop")

    def __init__(self, octets: bytes, pdu: Pdu) -> None:
        """Take what was read: a PDU that `octets` end with."""
        _, content, stop = ber.read_header(octets, pdu.at, len(octets))
        self._length = len(octets)
        self._request = pdu.at
        self._stop = stop
        self._before = octets[:content]
        self._middle = octets[stop : pdu.start]
        self._pdu = pdu

    def again(self, octets: bytes) -> Pdu | None:
        """Give the PDU of a message of this shape, good until the next one is read; None if it is of another."""
        stop = self._stop
        if len(octets) != self._length or not octets.startswith(self._before):
            return None
        if not octets.startswith(self._middle, stop):
            return None
        pdu = self._pdu
        pdu.request_id = octets[self._request : stop]
        pdu.octets = octets
        return pdu


class MessageShape:
    """An SNMPv3 message: another message id, time, code and salt, and other data of the same length."""

    __slots__ = (
        "_before",
        "_behind_code",
        "_behind_id",
        "_behind_time",
        "_length",
        "context",
        "header",
        "inside",
        "parameters",
        "room",
    )

    def __init__(self, octets: bytes, header: Header, parameters: Parameters) -> None:
        """Take what was read."""
        self._length = len(octets)
        self._before = octets[: header.id]
        self._behind_id = octets[header.id_stop : parameters.time_at]
        self._behind_time = octets[parameters.time_stop : parameters.code]
        self._behind_code = octets[parameters.code_stop : parameters.salt_at]
        self.header = header
        self.parameters = parameters
        self.inside: PduShape | None = None
        """Of what the message carries, decrypted; None until that was found good, and its sender authentic."""
        self.context = b""
        self.room = 0
        """For the response's PDU, in octets."""

    def again(self, octets: bytes) -> bool:
        """Tell whether a message is of this shape; `header` and `parameters` are then its own, until the next one."""
        header, parameters = self.header, self.parameters
        if (
            len(octets) != self._length
            or not octets.startswith(self._before)
            or not octets.startswith(self._behind_id, header.id_stop)
            or not octets.startswith(self._behind_time, parameters.time_stop)
            or not octets.startswith(self._behind_code, parameters.code_stop)
            # Neither number may be negative.
            or octets[header.id] >= 0x80
            or octets[parameters.time_at] >= 0x80
        ):
            return False
        header.message_id = octets[header.id_at : header.id_stop]
        parameters.time = int.from_bytes(octets[parameters.time_at : parameters.time_stop], "big")
        parameters.salt = octets[parameters.salt_at : header.data]
        return True
