"""Who may copy a segment: whoever shows a certificate and, bound to it, an engine token (claims 26, 27).

Possession is proved by the handshake (RFC 8705): so copies are made at the control port, over TLS.
"""

import time

from aiohttp import web

from media_network.cut import Cut
from media_network.http.asker import asker_of
from media_network.identity.identity import IdentityKind
from media_network.refusal import Reason, Refused
from media_network.tokens.engine_token import CopyRequest, EngineTokenVerifier

_BEARER = "bearer "
_ELSEWHERE = Refused(Reason.NO_TOKEN, "a copy takes an engine token, and is made at the control port")


def refuse_copy(request: web.Request, verifier: EngineTokenVerifier, cut: Cut, segment: int) -> Refused | None:
    """What there is against giving a copy of a segment, or of its index, to whoever asks for it."""
    asker = asker_of(request)
    if not asker.identified:
        return _ELSEWHERE
    if asker.peer is None or asker.peer.identity.kind is not IdentityKind.BLADE:
        return Refused(Reason.NOT_ALLOWED, f"{asker.name} is no engine")
    copy = CopyRequest(cut, segment, asker.peer.thumbprint)
    return verifier.refusal(_shown(request), copy, time.time())


def _shown(request: web.Request) -> str:
    """The token that is shown (RFC 6750, 2.1)."""
    header: str = request.headers.get("Authorization", "")
    return header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else ""
