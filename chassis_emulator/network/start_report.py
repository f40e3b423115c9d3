"""What the daemon tells the `up` that started it: one line of JSON."""

from msgspec import Struct


class Started(Struct, frozen=True, tag=True):
    """Every process has been started."""


class StartFailed(Struct, frozen=True, tag=True):
    """The network is not up."""

    sentence: str
    hint: str
