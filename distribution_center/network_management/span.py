"""The span of time that a reader asks for."""

from typing import NamedTuple

from aiohttp import web

_SPAN_MIN_S = 60
_SPAN_MAX_S = 366 * 24 * 3600
_HINT = "a span is 60 s to a year: `span` in seconds back from now, or `since` and `until` in seconds since 1970\n"


class Span(NamedTuple):
    """Seconds since 1970."""

    since: float
    until: float


def span_of(request: web.Request, now: float) -> Span:
    """Read it from the query. Raises HTTPBadRequest."""
    query = request.query
    span = _number(query.get("span", "3600"))
    until = _number(query["until"]) if "until" in query else now
    since = _number(query["since"]) if "since" in query else until - span
    if not _SPAN_MIN_S <= until - since <= _SPAN_MAX_S:
        raise web.HTTPBadRequest(text=_HINT)
    return Span(since, until)


def _number(written: str) -> int:
    if not (written.isascii() and written.isdecimal() and len(written) <= 12):
        raise web.HTTPBadRequest(text=_HINT)
    return int(written)
