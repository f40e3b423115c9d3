"""From who asks, and for which context, to an answer: access control in front of the objects."""

from media_network.snmp.access import AccessTables, Level, MibView, Purpose
from media_network.snmp.counters import Counters
from media_network.snmp.dispatch import refusal, respond_to_read, respond_to_set
from media_network.snmp.index import Context, Index
from media_network.snmp.pdu import READING, Pdu, PduType
from media_network.snmp.value import ErrorStatus
from media_network.snmp.visible import Visible


class UnknownContext(Exception):
    """There is no context of this name."""


class Responder:
    """Answers PDUs whose sender is known."""

    def __init__(self, index: Index, access: AccessTables, counters: Counters) -> None:
        self.index = index
        self.access = access
        self.counters = counters
        # Who may ask, and about what, is a finite set: both have been found among users and contexts before.
        self._visible: dict[tuple[tuple[int, str], int, bytes], Visible | None] = {}

    def respond(self, pdu: Pdu, who: tuple[int, str], level: Level, context_name: bytes, room: int) -> bytes | None:
        """Give the response PDU, of at most `room` octets; None, and counted, if there is none to be given.

        Raises UnknownContext, and BerError if the bindings make no sense.
        """
        self.index.asked()
        context = self.index.contexts.get(context_name)
        if context is None:
            self.counters.unknown_contexts += 1
            raise UnknownContext
        if pdu.kind in READING:
            visible = self._shown(who, level, context_name, context)
            if visible is None:
                answer = refusal(pdu, ErrorStatus.AUTHORIZATION_ERROR, 0, room)
            else:
                answer = respond_to_read(pdu, visible, room)
        elif pdu.kind == PduType.SET:
            view = self.access.view(who, level, context_name, Purpose.WRITE)
            answer = respond_to_set(pdu, context, view, room)
            self.index.written()
        else:
            # A response, a notification, or none that there is: nobody here waits for one.
            self.counters.unknown_pdu_types += 1
            return None
        if answer is None:
            self.counters.silent_drops += 1
        return answer

    def _shown(self, who: tuple[int, str], level: Level, name: bytes, context: Context) -> Visible | None:
        """Give what somebody sees of a context; None if nothing at all."""
        key = (who, level, name)
        known = self._visible.get(key)
        if known is None or not known.of(context):
            view = self.access.view(who, level, name, Purpose.READ)
            known = self._visible[key] = None if view is None else self._applied(view, context)
        return known

    def _applied(self, view: MibView, context: Context) -> Visible:
        """Apply a view, unless that has been done for somebody else."""
        for known in self._visible.values():
            if known is not None and known.view is view and known.of(context):
                return known
        return Visible(context, view)
