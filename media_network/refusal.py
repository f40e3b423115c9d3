"""A refusal: the answer of a party that understood a message and will not do it.

It is a value, not an exception: the caller decides what comes next.
"""

from msgspec import Struct

from media_network.word import Word


class Reason(Word):
    """Why a message was refused."""

    BAD_MESSAGE = "bad_message"
    """Not the JSON the verb asks for. A defect or an attack; never retried."""
    TOO_LARGE = "too_large"
    """More bytes than the verb's bound. Never retried."""
    WRONG_ROLE = "wrong_role"
    """This blade does not (or not any more) have the role the verb belongs to."""
    OVERDUE = "overdue"
    """The deadline passed before there was an answer. Whether it was done is unknown."""
    STALE_EPOCH = "stale_epoch"
    """The sender acts for a director that has been replaced."""
    STALE_TURN = "stale_turn"
    """The stream has moved on: that turn is over, or was given to somebody else."""
    UNKNOWN_ENGINE = "unknown_engine"
    """The director does not know this engine: it has to enlist."""
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_PROGRAM = "unknown_program"
    UNKNOWN_INGEST = "unknown_ingest"
    UNKNOWN_CENTER = "unknown_center"
    UNKNOWN_ORDER = "unknown_order"
    NOT_PUBLISHED = "not_published"
    NOT_HERE = "not_here"
    """The segment is not (any more) where it was asked for."""
    NO_SUCH_RANGE = "no_such_range"
    """The segment has no such bytes."""
    UNKNOWN_SESSION = "unknown_session"
    NOT_READY = "not_ready"
    """A stream was to start that had not been preloaded, or whose preload has lapsed."""
    ASSUMED = "assumed"
    """The engine that was thought lost has the stream."""
    AT_CAPACITY = "at_capacity"
    NO_ENGINE = "no_engine"
    """No live engine holds the segment."""
    NO_SPACE = "no_space"
    IO_ERROR = "io_error"
    """The disk does not give what it holds, or take what it should."""
    BAD_TICKET = "bad_ticket"
    NO_TOKEN = "no_token"  # noqa: S105 -- a word
    """The station asks for a token, and there was none."""
    MALFORMED = "malformed"
    """What should be a token is none, or says what is not understood."""
    BAD_ALGORITHM = "bad_algorithm"
    """A token is signed in a way that its key is not for, or that is none."""
    UNKNOWN_KEY = "unknown_key"
    """A token names a key that its issuer does not have, or not any more."""
    WRONG_KEY = "wrong_key"
    """The key that a token names has not signed it: it is forged, or was changed."""
    WRONG_ISSUER = "wrong_issuer"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_STATION = "wrong_station"
    WRONG_PROGRAM = "wrong_program"
    WRONG_HOLDER = "wrong_holder"
    """A token is bound to another certificate than the one that is shown with it."""
    BAD_LOGIN = "bad_login"
    """There is no subscriber of that name with that password, or not any more."""
    NOT_ENTITLED = "not_entitled"
    """The subscriber may not see that, or not now."""
    NOT_ALLOWED = "not_allowed"
    """Not for whoever asks: nothing is sent to a host that did not ask for it."""
    BAD_SOURCE = "bad_source"
    """What a person named cannot be ingested; the detail says why."""
    BUSY = "busy"
    """It has as much to do as it takes at once."""
    NO_BLADE = "no_blade"
    """Nobody is in that slot, or nobody who answers."""
    UNABLE = "unable"
    """The blade, or the state it is in, has no way to do it."""
    NOT_KEPT = "not_kept"
    """What was ordered could not be written down so far; it is done when it is."""
    UNKNOWN = "unknown"
    """A reason of a newer party. Whether it was done is unknown; not worth repeating at once."""


class Refused(Struct, frozen=True):
    """A refusal with its reason and, for a person, the facts."""

    reason: Reason
    detail: str | None = None
    state: str | None = None
    """The state of what was named, where that is in the way."""

    @property
    def perhaps_done(self) -> bool:
        """Whether it may have been done, or may be yet; of every other refusal it is certain that it was not."""
        return self.reason in (Reason.OVERDUE, Reason.UNKNOWN)

    def __str__(self) -> str:
        return self.detail or self.reason.value.replace("_", " ")
