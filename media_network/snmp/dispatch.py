"""Command responder (RFC 3413, 3.2; RFC 3416, 4.2): a PDU and what its sender may see go in, a response comes out."""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain

from media_network.snmp import ber
from media_network.snmp.access import View
from media_network.snmp.index import Context
from media_network.snmp.pdu import Pdu, PduType, name_of, read_bindings, read_names, write_pdu
from media_network.snmp.setting import set_variables
from media_network.snmp.value import END_OF_MIB_VIEW, ErrorStatus
from media_network.snmp.visible import Visible, binding

logger = logging.getLogger(__name__)

MAX_BINDINGS = 1024
"""More in one request are a parse error."""
MAX_REPETITIONS = 128
"""No more are given whatever is asked for, as RFC 3416 allows."""


class ReadError(Exception):
    """A provider could not read a variable."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """How many bindings were read before."""


def respond_to_set(pdu: Pdu, context: Context, write: View | None, room: int) -> bytes | None:
    """Set variables, and give the response PDU; None if none fits into `room` octets.

    Raises BerError if the bindings make no sense; nothing has been set then.
    """
    if pdu.stop - pdu.start + _around(pdu) > room:
        return refusal(pdu, ErrorStatus.TOO_BIG, 0, room)
    bindings = read_bindings(pdu, MAX_BINDINGS)
    if write is None:
        return refusal(pdu, ErrorStatus.AUTHORIZATION_ERROR, 0, room)
    status, number = set_variables(bindings, context, write)
    if status:
        return refusal(pdu, status, number, room)
    return write_pdu(PduType.RESPONSE, pdu.request_id, pdu.octets[pdu.start : pdu.stop])


def respond_to_read(pdu: Pdu, visible: Visible, room: int) -> bytes | None:
    """Read variables, and give the response PDU; None if none fits into `room` octets. Raises BerError."""
    names = read_names(pdu, MAX_BINDINGS)
    left = room - _around(pdu)
    try:
        if pdu.kind == PduType.GET_BULK:
            bindings = _fill(_bulk(pdu, names, visible), left, cut=True)
        else:
            found = _nexts if pdu.kind == PduType.GET_NEXT else _gets
            bindings = _fill(found(names, visible), left, cut=False)
    except ReadError as failure:
        return refusal(pdu, ErrorStatus.GEN_ERR, _blamed(pdu, len(names), failure.number), room)
    if bindings is None:
        return refusal(pdu, ErrorStatus.TOO_BIG, 0, room)
    return write_pdu(PduType.RESPONSE, pdu.request_id, bindings)


def refusal(pdu: Pdu, status: ErrorStatus, number: int, room: int) -> bytes | None:
    """Give the response that says why not: with the bindings of the request, without them if it was too big."""
    bindings = b"" if status == ErrorStatus.TOO_BIG else pdu.octets[pdu.start : pdu.stop]
    answer = write_pdu(PduType.RESPONSE, pdu.request_id, bindings, status, number)
    if len(answer) > room:
        answer = write_pdu(PduType.RESPONSE, pdu.request_id, b"", ErrorStatus.TOO_BIG)
    return answer if len(answer) <= room else None


def _fill(bindings: Iterable[bytes], left: int, *, cut: bool) -> bytes | None:
    """Put bindings together: as many as fit if they may be `cut`, else all or None. Raises ReadError and BerError."""
    filled: list[bytes] = []
    try:
        for encoded in bindings:
            left -= len(encoded)
            if left < 0:
                return b"".join(filled) if cut else None
            filled.append(encoded)
    except ber.BerError:
        raise
    except Exception as error:
        # Readers are other people's code; their mistake costs one answer (genErr), not the agent.
        logger.debug("a variable could not be read", exc_info=True)
        raise ReadError(len(filled)) from error
    return b"".join(filled)


def _gets(names: Iterable[bytes], visible: Visible) -> Iterator[bytes]:
    return (binding(name, visible.get(name)) for name in names)


def _nexts(names: Iterable[bytes], visible: Visible) -> Iterator[bytes]:
    for name in names:
        yield next(visible.walk(name), None) or binding(name, END_OF_MIB_VIEW)


def _bulk(pdu: Pdu, names: list[bytes], visible: Visible) -> Iterator[bytes]:
    once = max(pdu.non_repeaters, 0)
    return chain(_nexts(names[:once], visible), _repeated(names[once:], pdu.max_repetitions, visible))


def _repeated(names: list[bytes], repetitions: int, visible: Visible) -> Iterator[bytes]:
    """Give one binding of each walk in turn; those that ended say so, until all have."""
    walks = [visible.walk(name) for name in names]
    last: list[bytes | None] = [None] * len(names)
    for _ in range(min(repetitions, MAX_REPETITIONS)):
        going = False
        for number, walk in enumerate(walks):
            found = next(walk, None)
            if found is None:
                before = last[number]
                yield binding(names[number] if before is None else name_of(before), END_OF_MIB_VIEW)
                continue
            going = True
            last[number] = found
            yield found
        if not going:
            return


def _around(pdu: Pdu) -> int:
    """Give how much of a response PDU is not bindings, at most."""
    return len(pdu.request_id) + 14


def _blamed(pdu: Pdu, count: int, read: int) -> int:
    """Give the number of the request's binding, from 1, that the binding after `read` others answers."""
    once = min(max(pdu.non_repeaters, 0), count)
    if pdu.kind != PduType.GET_BULK or read < once:
        return read + 1
    return once + (read - once) % (count - once) + 1
