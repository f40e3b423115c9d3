"""Command responder (RFC 3413, 3.2; RFC 3416, 4.2): a PDU and what its sender may see go in, a response comes out."""

import logging
from collections.abc import Iterator

from media_network.snmp import ber
from media_network.snmp.access import MibView
from media_network.snmp.index import Context
from media_network.snmp.pdu import Pdu, PduType, name_of, read_bindings, read_names, write_pdu
from media_network.snmp.setting import set_variables
from media_network.snmp.sought_rows import RowsAway
from media_network.snmp.value import END_OF_MIB_VIEW, ErrorStatus
from media_network.snmp.visible import Visible, binding

logger = logging.getLogger(__name__)

MAX_BINDINGS = 1024
"""More in one request are a parse error."""
MAX_REPETITIONS = 128
"""No more are given whatever is asked for, as RFC 3416 allows."""
_GET, _GET_BULK, _RESPONSE = int(PduType.GET), int(PduType.GET_BULK), int(PduType.RESPONSE)


def respond_to_set(pdu: Pdu, context: Context, write: MibView | None, room: int) -> bytes | None:
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
    """Read variables, and give the response PDU; None if none fits into `room` octets. Raises BerError, RowsAway."""
    names = read_names(pdu, MAX_BINDINGS)
    left = room - _around(pdu)
    filled: list[bytes] = []
    kind = pdu.kind
    try:
        if kind == _GET:
            fitted = _get(names, visible, left, filled)
        elif kind == _GET_BULK:
            _bulk(pdu, names, visible, left, filled)
            fitted = True
        else:
            fitted = _next(names, visible, left, filled) >= 0
    except (ber.BerError, RowsAway):
        raise
    except Exception:
        # Readers are other people's code; their mistake costs one answer (genErr), not the agent.
        logger.debug("a variable could not be read", exc_info=True)
        return refusal(pdu, ErrorStatus.GEN_ERR, _blamed(pdu, len(names), len(filled)), room)
    if not fitted:
        return refusal(pdu, ErrorStatus.TOO_BIG, 0, room)
    return write_pdu(_RESPONSE, pdu.request_id, filled[0] if len(filled) == 1 else b"".join(filled))


def refusal(pdu: Pdu, status: ErrorStatus, number: int, room: int) -> bytes | None:
    """Give the response that says why not: with the bindings of the request, without them if it was too big."""
    bindings = b"" if status == ErrorStatus.TOO_BIG else pdu.octets[pdu.start : pdu.stop]
    answer = write_pdu(PduType.RESPONSE, pdu.request_id, bindings, status, number)
    if len(answer) > room:
        answer = write_pdu(PduType.RESPONSE, pdu.request_id, b"", ErrorStatus.TOO_BIG)
    return answer if len(answer) <= room else None


def _get(names: list[bytes], visible: Visible, left: int, filled: list[bytes]) -> bool:
    """Fill in the variables of these names; False if they do not all fit into so many octets."""
    for name in names:
        encoded = binding(name, visible.get(name))
        left -= len(encoded)
        if left < 0:
            return False
        filled.append(encoded)
    return True


def _next(names: list[bytes], visible: Visible, left: int, filled: list[bytes]) -> int:
    """Fill in the variable behind each name; give the octets that are left, less than 0 if the rest does not fit."""
    for name in names:
        left = visible.fill(name, len(filled) + 1, left, filled)
        if left < 0:
            break
    return left


def _bulk(pdu: Pdu, names: list[bytes], visible: Visible, left: int, filled: list[bytes]) -> None:
    """Fill in as much of the answer to a GetBulk as fits."""
    once = max(pdu.non_repeaters, 0)
    repetitions = min(pdu.max_repetitions, MAX_REPETITIONS)
    left = _next(names[:once], visible, left, filled)
    repeated = names[once:]
    if left < 0 or repetitions <= 0:
        return
    if len(repeated) == 1:
        visible.fill(repeated[0], len(filled) + repetitions, left, filled)
        return
    for encoded in _repeated(repeated, repetitions, visible):
        left -= len(encoded)
        if left < 0:
            return
        filled.append(encoded)


def _repeated(names: list[bytes], repetitions: int, visible: Visible) -> Iterator[bytes]:
    """Give one binding of each walk in turn; those that ended say so, until all have."""
    walks = [visible.walk(name) for name in names]
    last: list[bytes | None] = [None] * len(names)
    for _ in range(repetitions):
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
