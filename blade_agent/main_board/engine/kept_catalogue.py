"""Program information that an engine keeps for its directors: the next one may be this very blade."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.director_link import DirectorLink
from media_network.messages.program_information import AskCatalogue, AskProgram, KeepProgram, KeptCatalogue
from media_network.messages.verb import Done
from media_network.program import Program
from media_network.refusal import Reason, Refused


class KeptPrograms:
    """The blade's catalogue, as a director sees it."""

    def __init__(self, catalogue: Catalogue, director: DirectorLink) -> None:
        self._catalogue = catalogue
        self._director = director

    async def keep(self, request: KeepProgram) -> Done | Refused:
        """Answer `KEEP_PROGRAM`: it is durable."""
        if request.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {request.epoch} is not our director's, {self._director.epoch}")
        try:
            await self._catalogue.learn([request.program])
        except OSError as error:
            return Refused(Reason.NO_SPACE, str(error))
        return Done()

    async def tell_all(self, _: AskCatalogue) -> KeptCatalogue:
        """Answer `ASK_CATALOGUE`."""
        return KeptCatalogue(dict(self._catalogue.digests))

    async def tell(self, request: AskProgram) -> Program | Refused:
        """Answer `ASK_PROGRAM`."""
        found = self._catalogue.get(request.program)
        return found or Refused(Reason.UNKNOWN_PROGRAM, f"{request.program} is not kept here")
