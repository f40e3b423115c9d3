"""The one verb that the panel takes: an order for a blade or a chassis."""

from msgspec import Struct

from chassis_emulator.panel.model import Action
from media_network.messages.verb import Caller, Done, Verb

TOKEN = "Panel-Token"  # noqa: S105 -- the header's name


class PanelOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """An order of the one who looks at the panel."""

    action: Action


ACT = Verb(
    "act",
    PanelOrder,
    Done,
    "Pull, insert, switch, reset or identify a blade; inject or clear faults.",
    callers=(Caller.OPERATOR,),
)
