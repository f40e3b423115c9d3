"""Programs with their tables, from wherever these are: this blade, an engine of the station, the center."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.program import Program
from media_network.program_header import ProgramHeader


class Library:
    """What a director plays, lists and copies by."""

    def __init__(self, term: Term, catalogue: Catalogue, roster: Roster) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self.center_media: Address | None = None
        """Where the center has all parts; None until it has said so."""

    def is_known(self, name: ProgramId) -> bool:
        """Whether there is a program of this name."""
        return self._catalogue.get(name) is not None

    def is_in_service(self, name: ProgramId) -> bool:
        """Whether consoles may have it."""
        return self._catalogue.published(name) is not None

    async def get(self, name: ProgramId, source: Address | None = None) -> Program | None:
        """A program, in service or not; None: there is none, or nobody who can be reached has its table."""
        header = self._catalogue.get(name)
        return await self.fetch(header, source) if header else None

    async def published(self, name: ProgramId) -> Program | None:
        """A program in service; None as for `get`."""
        header = self._catalogue.published(name)
        return await self.fetch(header) if header else None

    def at_hand(self, name: ProgramId) -> Program | None:
        """A program that was asked for lately."""
        header = self._catalogue.get(name)
        return self._catalogue.parts.at_hand(header) if header else None

    async def fetch(self, header: ProgramHeader, source: Address | None = None) -> Program | None:
        """The program of a header; `source` is who should have its table, if anybody is known to."""
        if found := self._catalogue.parts.at_hand(header):
            return found
        engines = [engine.media for engine in self._roster if not engine.silent]
        sources = [each for each in (source, *engines, self.center_media) if each]
        return await self._catalogue.parts.fetch(header, sources, self._term.http)
