"""What stands in the headers of RTSP requests (RFC 2326, 12): transports, ranges, which program is meant. No I/O."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from media_network.fields import ProgramId
from media_network.messages.authentication import TOKEN_PARAMETER

STREAM = "stream"
"""What the one stream of a program is called, behind the program's address."""
_PATH = re.compile(rf"/programs/([a-z0-9](?:[a-z0-9-]{{0,62}}[a-z0-9])?)(?:/(?:{STREAM}/?)?)?", re.ASCII)
_SECONDS = re.compile(r"(\d{1,9})(\.\d{0,9})?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,6}):([0-5]?\d):([0-5]?\d)(\.\d{0,9})?", re.ASCII)
_TRANSPORTS_MAX = 16
_PORT_MAX = 65_534
_CHANNEL_MAX = 254
_BEARER = "bearer "


class BadField(ValueError):
    """A header says what is none of what it may say."""


class UnknownUnit(ValueError):
    """A range is in a unit that is not served (12.29): frames, or the time of day."""


class Asked(NamedTuple):
    """What an address names."""

    program: ProgramId
    token: str | None


def asked_of(uri: str) -> Asked | None:
    """The program, and the token that a player shows with it (RFC 9246); None: it names none."""
    try:
        parts = urlsplit(uri)
        query = parse_qs(parts.query, max_num_fields=16)
    except ValueError:
        return None
    found = _PATH.fullmatch(parts.path)
    return Asked(found[1], query.get(TOKEN_PARAMETER, [None])[0]) if found else None


def bearer(authorization: str) -> str | None:
    """A token in `Authorization` (RFC 6750); None: there is none."""
    return authorization[len(_BEARER) :].strip() if authorization[: len(_BEARER)].lower() == _BEARER else None


class RtspTransport(NamedTuple):
    """How a stream goes to a player: to a pair of ports, or between the messages."""

    ports: tuple[int, int] | None
    """For RTP and RTCP; None: it goes by `channels`."""
    channels: tuple[int, int] = (0, 1)
    destination: str | None = None
    """Another host than the one that asks, if it says so."""


def transport_of(text: str) -> RtspTransport | None:
    """The first way that can be gone (12.39); None: there is none."""
    for way in text.split(",")[:_TRANSPORTS_MAX]:
        words = [word.strip() for word in way.split(";")]
        facts = {name.lower(): value.strip('"') for name, _, value in (word.partition("=") for word in words[1:])}
        if "multicast" in facts or facts.get("mode", "PLAY").upper() != "PLAY":
            continue
        destination = facts.get("destination") or None
        if words[0].upper() in ("RTP/AVP", "RTP/AVP/UDP"):
            if ports := _pair(facts.get("client_port", ""), _PORT_MAX):
                return RtspTransport(ports=ports, destination=destination)
        elif words[0].upper() == "RTP/AVP/TCP":
            channels = _pair(facts.get("interleaved", "0-1"), _CHANNEL_MAX)
            if channels:
                return RtspTransport(ports=None, channels=channels)
    return None


def _pair(text: str, most: int) -> tuple[int, int] | None:
    """Two numbers, the second one more than the first, which may stand alone."""
    first, _, second = text.partition("-")
    if not (first.isascii() and first.isdigit() and len(first) <= len("65535")):
        return None
    number = int(first)
    if number > most or (most == _PORT_MAX and number == 0) or (second and second != str(number + 1)):
        return None
    return number, number + 1


class NptRange(NamedTuple):
    """A part of a program (3.6), in milliseconds from its beginning."""

    begins_ms: int | None
    """None: where the stream is."""
    ends_ms: int | None
    """None: at the end."""


def range_of(text: str) -> NptRange:
    """What a player wants to see. Raises BadField, UnknownUnit."""
    unit, equals, rest = text.partition("=")
    if unit.strip().lower() != "npt":
        raise UnknownUnit(unit[:20])
    begins, dash, ends = rest.partition(";")[0].strip().partition("-")
    if not (equals and dash) or not (begins or ends):
        raise BadField("a range of npt is two times with a dash between")
    begins_ms = None if begins.strip() in ("now", "") else _npt_ms(begins.strip())
    if not begins:
        raise BadField("from the end backwards nothing is counted in a film")
    ends_ms = _npt_ms(ends.strip()) if ends.strip() else None
    return NptRange(begins_ms, ends_ms)


def _npt_ms(text: str) -> int:
    if found := _SECONDS.fullmatch(text):
        return int(found[1]) * 1000 + _fraction_ms(found[2])
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 + _fraction_ms(found[4])
    raise BadField(f"{text[:20]!r} is no time")


def _fraction_ms(text: str | None) -> int:
    return int(float(f"0{text}") * 1000) if text and len(text) > 1 else 0


def npt(begins_ms: int) -> str:
    """From where a program is sent, as it is answered: to its end."""
    return f"npt={begins_ms / 1000:.3f}-"


def scale_of(text: str) -> float:
    """A speed (12.34). Raises BadField."""
    if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{0,6})?", text, re.ASCII):
        raise BadField(f"{text[:20]!r} is no scale")
    return float(text)
