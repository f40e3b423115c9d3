"""URI containers (`cdniuc`, RFC 9246): which programs a token is for.

Of regular expressions only those are understood that `Container.text` writes, by their shape: no expression that came
in a token is ever run.
"""

import re
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256
from typing import NamedTuple

from media_network.fields import ProgramId
from media_network.tokens.keys import base64url

PROGRAMS_MAX = 16
"""Of so many a token names each: with more it would not fit into a URL, and a console asks for one program."""
_BEFORE, _BEHIND = "regex:https?://[^/]*/programs/", "/[^/]*"
_ANY = "[^/]*"
_PROGRAM = re.compile(r"[a-z0-9-]{1,64}")
_HASH = "hash:sha-256;"


class Container(NamedTuple):
    """What a token is good for."""

    programs: frozenset[ProgramId] | None = None
    """All that may be seen with it; None: any program."""
    digest: str | None = None
    """Good for one URI only: of its SHA-256, as RFC 6920 (section 5) writes it."""

    @classmethod
    def of(cls, programs: Iterable[ProgramId] | None) -> "Container":
        """One for these, of which there are at most `PROGRAMS_MAX`; None: for any."""
        return cls(None if programs is None else frozenset(programs))

    @classmethod
    def of_uri(cls, uri: str) -> "Container":
        """One for a single URI."""
        return cls(frozenset(), _digest(uri))

    @classmethod
    def parse(cls, text: str) -> "Container | None":
        """Read what `text` wrote; None of everything else."""
        if text.startswith(_HASH):
            digest = text.removeprefix(_HASH)
            return cls(frozenset(), digest) if len(digest) == 43 else None
        if not (text.startswith(_BEFORE) and text.endswith(_BEHIND)) or len(text) < len(_BEFORE + _BEHIND):
            return None
        inner = text[len(_BEFORE) : -len(_BEHIND)]
        if inner == _ANY:
            return cls()
        names = inner[1:-1].split("|") if inner[:1] == "(" and inner[-1:] == ")" else ()
        if 0 < len(names) <= PROGRAMS_MAX and all(map(_PROGRAM.fullmatch, names)):
            return cls(frozenset(names))
        return None

    def text(self) -> str:
        """As a token has it."""
        if self.digest is not None:
            return f"{_HASH}{self.digest}"
        inner = _ANY if self.programs is None else f"({'|'.join(sorted(self.programs))})"
        return f"{_BEFORE}{inner}{_BEHIND}"

    def allows(self, program: ProgramId, uris: Callable[[], Collection[str]]) -> bool:
        """Whether it is good for a program that was asked for; `uris` are what its playlist may be called."""
        if self.digest is not None:
            return any(_digest(uri) == self.digest for uri in uris())
        return self.programs is None or program in self.programs


def _digest(uri: str) -> str:
    return base64url(sha256(uri.encode(errors="surrogatepass")).digest())
