"""Programs with their tables, from wherever these are: this blade, an engine of the station, the center."""

from collections.abc import Callable

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.fields import ProgramId
from media_network.program import Program
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused


class Library:
    """What a director plays, lists and copies by."""

    def __init__(self, term: Term, catalogue: Catalogue, roster: Roster) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self.center_media: Address | None = None
        """Where the center has all parts; None until it has said so."""
        self.played: Callable[[ProgramId], None] = do_nothing
        """Called when a console begins to receive a program."""
        self.closed: set[ProgramId] = set()
        """Programs that may be deleted here at any moment: nobody begins to receive, to copy or to fetch them."""

    def is_known(self, name: ProgramId) -> bool:
        """Whether there is a program of this name."""
        return self._catalogue.get(name) is not None

    def is_in_service(self, name: ProgramId) -> bool:
        """Whether consoles may have it."""
        return self._catalogue.published(name) is not None and name not in self.closed

    def refusal(self, name: ProgramId) -> Refused | None:
        """What there is against beginning to receive a program at this very moment: nobody is asked, so that whoever
        begins then is counted before anybody else has a turn."""
        return Refused(Reason.NOT_PUBLISHED, f"{name} is being deleted here") if name in self.closed else None

    def why_not(self, name: ProgramId) -> Refused:
        """Why a program that was asked for is not given."""
        if self.is_in_service(name):
            return Refused(Reason.NO_ENGINE, f"nobody who can be reached has the segment table of {name}")
        if self.is_known(name):
            return Refused(Reason.NOT_PUBLISHED, f"program {name} is not in service here")
        return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {name} here")

    async def get(self, name: ProgramId, source: Address | None = None) -> Program | None:
        """A program, in service or not; None: there is none, or nobody who can be reached has its table."""
        header = self._catalogue.get(name)
        return await self.fetch(header, source) if header else None

    async def published(self, name: ProgramId) -> Program | None:
        """A program in service, which a console begins to receive; None as for `in_service`."""
        if program := await self.in_service(name):
            self.played(name)
        return program

    async def in_service(self, name: ProgramId) -> Program | None:
        """A program in service; None as for `get`. What a director that has just begun has yet to hear of, or of who
        has its table, is waited for."""
        while True:
            header = self._catalogue.published(name)
            program = await self.fetch(header) if header else None
            if program and name not in self.closed:
                return program
            may_come = self.is_in_service(name) or not self.is_known(name)
            if not (may_come and await self._term.has_more_to_hear()):
                return None

    def at_hand(self, name: ProgramId) -> Program | None:
        """A program that was asked for lately."""
        header = self._catalogue.get(name)
        return self._catalogue.parts.at_hand(header) if header else None

    def in_service_at_hand(self, name: ProgramId) -> Program | None:
        """A program in service that was asked for lately."""
        header = self._catalogue.published(name)
        return self._catalogue.parts.at_hand(header) if header and name not in self.closed else None

    async def fetch(self, header: ProgramHeader, source: Address | None = None) -> Program | None:
        """The program of a header; `source` is who should have its table, if anybody is known to."""
        if found := self._catalogue.parts.at_hand(header):
            return found
        engines = [engine.media for engine in self._roster if not engine.silent]
        sources = [each for each in (source, *engines, self.center_media) if each]
        return await self._catalogue.parts.fetch(header, sources, self._term.http)
