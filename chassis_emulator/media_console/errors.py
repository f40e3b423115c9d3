"""What can go wrong for whoever plays a program, as types with facts.

ConsoleError
    BadUrl              not the URL of something that can be fetched
    BadPlaylist         what came is not a playlist this console can put together
    SegmentLost         no engine gave the segment
    ForeignBytes        an engine gave other bytes than it should
    NotAnswered         a director or center did not answer
    PlayRefused         a director, an engine or a center refused
    LoginRefused        an authentication server refused
    OutputFailed        what was received cannot be written
    NoNetwork           no network runs on this laptop
    NoAuthentication    no authentication server runs there
    NotFound            the program or station is not in the network
"""

from pathlib import Path

from media_network.address import Address
from media_network.refusal import Reason, Refused


class ConsoleError(Exception):
    """An order that could not be carried out: `str()` is one sentence, `hint` says what to do."""

    hint = ""


class BadUrl(ConsoleError):
    """Not the URL of something that can be fetched."""

    hint = "A playlist's URL looks like http://127.1.2.1:8080/programs/PROGRAM/playlist.m3u8."

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url[:200]!r} cannot be fetched: {self.reason}."


class BadPlaylist(ConsoleError):
    """What came is not a playlist this console can put together."""

    hint = "A VOD media playlist (RFC 8216) of whole segments is needed."

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"The playlist {self.url[:200]} cannot be played: {self.reason}."


class SegmentLost(ConsoleError):
    """No engine gave the segment."""

    def __init__(self, number: int, received: int, cause: str) -> None:
        super().__init__(number, received, cause)
        self.number = number
        self.received = received
        self.cause = cause

    def __str__(self) -> str:
        return f"Segment {self.number} stops after {self.received} bytes and no engine gives the rest: {self.cause}."


class ForeignBytes(ConsoleError):
    """An engine gave other bytes than the one before it, or more or fewer than the segment has."""

    def __init__(self, number: int, engine: str) -> None:
        super().__init__(number, engine)
        self.number = number
        self.engine = engine

    def __str__(self) -> str:
        return f"What {self.engine} gives as segment {self.number} is not that segment."


class NotAnswered(ConsoleError):
    """A director or center did not answer."""

    hint = "`chassis-emulator ps` shows who is up."

    def __init__(self, who: str, peer: Address | str, cause: str) -> None:
        super().__init__(who, peer, cause)
        self.who = who
        self.peer = peer
        self.cause = cause

    def __str__(self) -> str:
        return f"The {self.who} at {self.peer} does not answer: {self.cause}."


_GET_ONE = "`media-console login NAME` gets one; who may see what is said by `distribution-center auth entitle`."
_WHAT_TO_DO = {
    **dict.fromkeys(
        (
            *(Reason.NO_TOKEN, Reason.MALFORMED, Reason.BAD_ALGORITHM, Reason.UNKNOWN_KEY, Reason.WRONG_KEY),
            *(Reason.WRONG_ISSUER, Reason.EXPIRED, Reason.NOT_YET_VALID, Reason.WRONG_STATION, Reason.WRONG_PROGRAM),
        ),
        _GET_ONE,
    ),
    Reason.NOT_ENTITLED: "`distribution-center subscribers list` shows who may see what, and who is suspended.",
    Reason.NOT_ALLOWED: "Let the other player run on this host, or set allow_elsewhere for the station.",
    Reason.NOT_PUBLISHED: "`distribution-center publish PROGRAM` starts its service.",
    Reason.UNKNOWN_PROGRAM: "`distribution-center programs` lists what there is.",
    Reason.UNKNOWN_STATION: "`distribution-center stations` lists what there is.",
}
"""By what was refused for; everything else passes, or is seen in a log."""


class PlayRefused(ConsoleError):
    """A director refused to play, an engine to start, or a center to say something."""

    def __init__(self, peer: Address | str, what: str, detail: str, reason: Reason | None = None) -> None:
        super().__init__(peer, what, detail, reason)
        self.peer = peer
        self.what = what
        self.detail = detail
        self.reason = reason

    @property
    def hint(self) -> str:  # type: ignore[override] # it depends on the refusal
        """What to do."""
        again = "Try again in a moment; `chassis-emulator logs` says what is in the way."
        return again if self.reason is None else _WHAT_TO_DO.get(self.reason, again)

    def __str__(self) -> str:
        return f"{self.peer} refuses {self.what}: {self.detail}."


class LoginRefused(ConsoleError):
    """An authentication server refused a login, or a token."""

    def __init__(self, server: Address, refused: Refused) -> None:
        super().__init__(server, refused)
        self.server = server
        self.refused = refused

    @property
    def hint(self) -> str:  # type: ignore[override] # it depends on the refusal
        """What to do."""
        if self.refused.reason is Reason.BUSY:
            return "Wait half a minute before you try again."
        if self.refused.reason is Reason.NOT_ENTITLED:
            return "`distribution-center auth subscribers` shows who may see what."
        return "`media-console login NAME` logs in."

    def __str__(self) -> str:
        return f"The authentication server at {self.server} refuses: {self.refused}."


class OutputFailed(ConsoleError):
    """What was received cannot be written."""

    hint = "Name another file with --output."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be written: {self.reason}."


class NoNetwork(ConsoleError):
    """No network runs on this laptop, or not with its state in this folder."""

    hint = "Bring one up with `chassis-emulator up`, or give --state-dir or MEDIA_STATION_STATE, or a URL."

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"No network runs with its state in {self.folder}."


class NoAuthentication(ConsoleError):
    """The network on this laptop has no authentication server, or none runs."""

    hint = "Name one with --server, or bring a network up whose topology says `authentication: true`."

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"No authentication server has run with its state in {self.folder}."


class NotFound(ConsoleError):
    """The program or station is not in the network, or not where it was looked for."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.reason}."
