"""A stream goes to the host that asked for it.

Whoever could have datagrams sent to others could flood them with a film. Tokens of an authentication server will say
who may; until then a station's settings can allow it to everybody (`allow_elsewhere`).
"""

from media_network.address import Address
from media_network.refusal import Reason, Refused


def refuse_elsewhere(console: Address, asking_host: str) -> Refused | None:
    """The refusal, where the datagrams would go to another host than the one that asks; the port may be any."""
    if console.host == asking_host:
        return None
    return Refused(Reason.NOT_ALLOWED, f"{asking_host} asks, and nothing is sent to {console.host}, which does not")
