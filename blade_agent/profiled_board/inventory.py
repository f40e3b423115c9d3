"""The blade's FRU inventory: what was written to it, else its EEPROM's, else what its profile and settings say."""

import asyncio

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.cbc.fru import FruSettings
from blade_agent.hardware.board import Board
from blade_agent.hardware.reading import Unknown
from blade_agent.kept_octets import KeptOctets


class BoardInventory:
    """A `KeptOctets`: the EEPROM stays as it was made, what is written over the backplane goes before it."""

    def __init__(self, written: KeptOctets, eeprom: bytes) -> None:
        self._written = written
        self._eeprom = eeprom

    def read(self) -> bytes:
        """See `KeptOctets`. What was written and cannot be read any more leaves the EEPROM's."""
        try:
            return self._written.read() or self._eeprom
        except OSError:
            return self._eeprom

    def keep(self, octets: bytes) -> None:
        """See `KeptOctets`."""
        self._written.keep(octets)


async def open_inventory(board: Board, written: KeptOctets, *, serial_number: str, version: str) -> FruSettings:
    """Read the board's EEPROM, and give where the inventory comes from and whether it may be written."""
    eeprom = await asyncio.get_running_loop().run_in_executor(None, board.read_fru)
    profile = board.profile
    return FruSettings(
        facts=FruFacts(
            manufacturer=profile.identity.maker,
            product=profile.title,
            part_number=profile.identity.part_number,
            serial_number=serial_number,
            version=version,
        ),
        kept=BoardInventory(written, b"" if isinstance(eeprom, Unknown) else eeprom),
        writable=profile.eeprom is not None and profile.eeprom.writable,
    )
