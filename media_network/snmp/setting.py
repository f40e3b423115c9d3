"""SET (RFC 3416, 4.2.5): every variable is tested, then all are set, and set back if one of them fails."""

import logging
from collections.abc import Callable, Sequence

from media_network.snmp.access import MibView
from media_network.snmp.index import Change, Context
from media_network.snmp.pdu import Binding
from media_network.snmp.value import ErrorStatus, ValueRefused

logger = logging.getLogger(__name__)

Outcome = tuple[ErrorStatus, int]
"""Error status, and the number of the binding at fault, from 1; 0 for none."""


def set_variables(bindings: Sequence[Binding], context: Context, write: MibView) -> Outcome:
    """Set all variables, or none."""
    changes = []
    for number, binding in enumerate(bindings, 1):
        try:
            changes.append(_prepared(binding, context, write))
        except ValueRefused as refused:
            return refused.status, number
        except Exception:
            logger.exception("testing a value for %s failed", binding.oid)
            return ErrorStatus.GEN_ERR, number
    for number, change in enumerate(changes, 1):
        if not _done(change.commit):
            # The one that failed is not set; those before it are.
            undone = [_done(earlier.undo) for earlier in reversed(changes[: number - 1])]
            return (ErrorStatus.COMMIT_FAILED, number) if all(undone) else (ErrorStatus.UNDO_FAILED, 0)
    return ErrorStatus.NO_ERROR, 0


def _prepared(binding: Binding, context: Context, write: MibView) -> Change:
    if not write.includes(binding.oid):
        raise ValueRefused(ErrorStatus.NO_ACCESS)
    known = context.type_of(binding.oid)
    if known is None or known.prepare is None:
        raise ValueRefused(ErrorStatus.NOT_WRITABLE)
    value = known.syntax.take(binding.tag, binding.content)
    row = known.rows.find(binding.oid[len(known.oid) :])
    if row is None:
        raise ValueRefused(ErrorStatus.NO_CREATION)
    return known.prepare(row, value)


def _done(step: Callable[[], None]) -> bool:
    try:
        step()
    except ValueRefused:
        return False
    except Exception:
        logger.exception("setting a variable failed")
        return False
    return True
