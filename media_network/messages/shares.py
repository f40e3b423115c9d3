"""How much of each program each station of a center holds: a feed of numbered changes, for a headquarters (claim 3).

Of a program and a station the newest change is kept, so all changes after number 0 are all that is held. The numbers
are not those of the catalogue's changes.
"""

from msgspec import Struct

from media_network.fields import Count, ProgramId
from media_network.messages.verb import MIB, Caller, Verb
from media_network.program_header import Milliseconds


class AskShares(Struct, frozen=True, kw_only=True):
    """Of which programs do stations hold more or less than before?"""

    since: Count
    """Number of the last change that is known, with all before it."""


class Share(Struct, frozen=True, kw_only=True):
    """How much of a program a station holds."""

    version: Count
    """Number of the change."""
    program: ProgramId
    station: str
    segments: Count
    """So many, each counted once however many engines have it; 0: none any more."""
    of: Count
    """So many the program has; 0: it was withdrawn."""


class Shares(Struct, frozen=True, kw_only=True):
    """Changes in the order of their numbers."""

    shares: tuple[Share, ...]
    until: Count
    """All changes up to this one are known to who knows these, and those before."""
    begun_at_ms: Milliseconds
    """Since when the numbers go on. A registry that has lost something begins anew: who has followed it from another
    time on begins with number 0, here and in the catalogue."""
    more: bool = False
    """There are later ones already."""


ASK_SHARES = Verb(
    "registry/shares",
    AskShares,
    Shares,
    "How much of each program each station holds, as it changes (claims 1, 3).",
    callers=(Caller.HEADQUARTERS,),
    reads=True,
    reply_bytes_max=MIB,  # a page is cut where it is full
)
