"""Requests that depend on what who asks has already (RFC 9110, 13): tags are the digests of what is served."""

import re

from media_network.fields import Sha256

FOR_EVER = "public, max-age=31536000, immutable"
"""`Cache-Control` of what never changes under its address."""
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def entity_tag(sha256: Sha256) -> str:
    """The strong tag of bytes with this digest."""
    return f'"{sha256}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether `If-None-Match` says that who asks has it: the body need not be sent (304)."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)


def range_counts(if_range: str | None, tag: str) -> bool:
    """Whether `Range` is to be heeded: without the very tag, as with any date, who asks has other bytes (13.1.5)."""
    return if_range is None or if_range.strip() == tag
