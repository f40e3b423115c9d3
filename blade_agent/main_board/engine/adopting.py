"""What an earlier release has left on the disks, whose folders do not say of which cut their segments are."""

import logging

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore

logger = logging.getLogger(__name__)


async def adopt_earlier(store: SegmentStore, catalogue: Catalogue) -> None:
    """Hold what is of the programs that the catalogue knows; what it does not know stays where it is."""
    for name in sorted(store.earlier_programs):
        header = catalogue.get(name)
        program = await catalogue.parts.program(header) if header else None
        if program is None:
            logger.warning("segments of %s, of an earlier release, are not held: its segment table is not here", name)
            continue
        try:
            if await store.adopt(program):
                logger.info("segments of %s, of an earlier release, are held on", name)
        except StoreError as error:
            logger.warning("segments of %s, of an earlier release, are not held: %s", name, error)
