"""Whether a blade that asks is of this blade's station, by their certificates: slots are the chassis manager's word."""

from media_network.http.asker import Asker
from media_network.identity.identification import Identification
from media_network.refusal import Reason, Refused


def refuse_other_stations(asker: Asker, identification: Identification | None) -> Refused | None:
    """What there is against whoever asks by the certificates; nothing where there are none."""
    if identification is None or asker.peer is None:
        return None
    own, asking = identification.own, asker.peer.identity
    if asking.station == own.station:
        return None
    return Refused(Reason.NOT_ALLOWED, f"{asking} is not of this station, {own.station}")
