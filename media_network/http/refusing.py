"""A refusal over HTTP: which reason is which status, and the response that carries it."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import msgspec
from aiohttp import web

from media_network.refusal import Reason, Refused

STATUSES: Mapping[Reason, HTTPStatus] = MappingProxyType(
    {
        Reason.BAD_MESSAGE: HTTPStatus.BAD_REQUEST,
        Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Reason.WRONG_ROLE: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.OVERDUE: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.STALE_EPOCH: HTTPStatus.CONFLICT,
        Reason.STALE_TURN: HTTPStatus.CONFLICT,
        Reason.UNKNOWN_ENGINE: HTTPStatus.NOT_FOUND,
        Reason.UNKNOWN_STATION: HTTPStatus.NOT_FOUND,
        Reason.UNKNOWN_PROGRAM: HTTPStatus.NOT_FOUND,
        Reason.UNKNOWN_INGEST: HTTPStatus.NOT_FOUND,
        Reason.UNKNOWN_CENTER: HTTPStatus.NOT_FOUND,
        Reason.UNKNOWN_ORDER: HTTPStatus.NOT_FOUND,
        Reason.NOT_PUBLISHED: HTTPStatus.FORBIDDEN,
        Reason.NOT_HERE: HTTPStatus.NOT_FOUND,
        Reason.NO_SUCH_RANGE: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        Reason.UNKNOWN_SESSION: HTTPStatus.NOT_FOUND,
        Reason.NOT_READY: HTTPStatus.CONFLICT,
        Reason.ASSUMED: HTTPStatus.CONFLICT,
        Reason.AT_CAPACITY: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.NO_ENGINE: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.NO_SPACE: HTTPStatus.INSUFFICIENT_STORAGE,
        Reason.IO_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.BAD_TICKET: HTTPStatus.FORBIDDEN,
        Reason.NO_TOKEN: HTTPStatus.UNAUTHORIZED,
        Reason.MALFORMED: HTTPStatus.UNAUTHORIZED,
        Reason.BAD_ALGORITHM: HTTPStatus.UNAUTHORIZED,
        Reason.UNKNOWN_KEY: HTTPStatus.UNAUTHORIZED,
        Reason.WRONG_KEY: HTTPStatus.UNAUTHORIZED,
        Reason.WRONG_ISSUER: HTTPStatus.UNAUTHORIZED,
        Reason.EXPIRED: HTTPStatus.UNAUTHORIZED,
        Reason.NOT_YET_VALID: HTTPStatus.UNAUTHORIZED,
        Reason.WRONG_STATION: HTTPStatus.FORBIDDEN,
        Reason.WRONG_PROGRAM: HTTPStatus.FORBIDDEN,
        Reason.WRONG_HOLDER: HTTPStatus.UNAUTHORIZED,
        Reason.BAD_LOGIN: HTTPStatus.UNAUTHORIZED,
        Reason.NOT_ENTITLED: HTTPStatus.FORBIDDEN,
        Reason.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
        Reason.BAD_SOURCE: HTTPStatus.BAD_REQUEST,
        Reason.BUSY: HTTPStatus.TOO_MANY_REQUESTS,
        Reason.NO_BLADE: HTTPStatus.NOT_FOUND,
        Reason.UNABLE: HTTPStatus.CONFLICT,
        Reason.NOT_KEPT: HTTPStatus.SERVICE_UNAVAILABLE,
        Reason.UNKNOWN: HTTPStatus.CONFLICT,  # handed on for somebody else
    }
)
"""Every reason has one; 401 says that another token, or another login, may help (RFC 9110, 15.5.2)."""

_PASSING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_RETRY_AFTER_S = 1
_SCHEME = "Bearer"
"""How a token is said that does not come in the address (RFC 6750)."""


def refusing(refused: Refused, headers: Mapping[str, str] | None = None) -> web.Response:
    """The response that carries a refusal: what may pass says when to ask again."""
    status = STATUSES[refused.reason]
    waiting = {"Retry-After": str(_RETRY_AFTER_S)} if status in _PASSING else {}
    if status is HTTPStatus.UNAUTHORIZED:
        waiting = {"WWW-Authenticate": _SCHEME}
    return web.Response(
        body=msgspec.json.encode(refused),
        status=status,
        content_type="application/json",
        headers={**waiting, **(headers or {})},
    )
