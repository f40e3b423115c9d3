"""The boot state as one sector that boot loader and tools read too: an environment of U-Boot with its CRC-32.

U-Boot reads it by `env import -c` and writes it by `env export -c -s 0x200`; `fw_printenv` of libubootenv reads it with
a configuration of one line. (U-Boot, include/env_internal.h: a CRC-32, least byte first, over the rest; in that
`name=value` and a zero each, and one zero more.) Numbers are hexadecimal where U-Boot counts with `setexpr`.
"""

import re
import zlib

from msgspec import Struct

from blade_agent.boot.boot_state import BootState, Standing, SystemSlot
from blade_agent.boot.release import Release

SECTOR_BYTES = 512
"""What a disk writes as a whole, or tears."""
FORMAT = "1"
_CRC_BYTES = 4
_PREFIX = "boot_"
_NUMBER = re.compile(r"[0-9a-f]{1,8}")


class NoBootRecord(ValueError):
    """Octets that are no record; `str()` says why."""


class BootRecord(Struct, frozen=True):
    """A boot state, and which of two copies is the newer one."""

    generation: int
    state: BootState

    def sector(self) -> bytes:
        """The octets of one sector."""
        text = "".join(f"{_PREFIX}{name}={value}\0" for name, value in self._variables().items())
        content = f"{text}\0".encode("ascii").ljust(SECTOR_BYTES - _CRC_BYTES, b"\0")
        return zlib.crc32(content).to_bytes(_CRC_BYTES, "little") + content

    def _variables(self) -> dict[str, str]:
        state = self.state
        releases = {state.good: state.good_release, state.good.other: state.other_release}
        said = {
            "format": FORMAT,
            "generation": f"{self.generation:x}",
            "good": state.good.value,
            "other": state.other.value,
            "tries": f"{state.tries:x}",
            "minimum": state.minimum,
            "staged_minimum": state.staged_minimum,
            "release_a": releases[SystemSlot.A],
            "release_b": releases[SystemSlot.B],
        }
        return {name: str(value) for name, value in said.items() if value is not None}

    @classmethod
    def of_sector(cls, sector: bytes) -> "BootRecord":
        """Read a sector. Raises NoBootRecord."""
        crc, content = sector[:_CRC_BYTES], sector[_CRC_BYTES:SECTOR_BYTES]
        if len(sector) < SECTOR_BYTES or zlib.crc32(content) != int.from_bytes(crc, "little"):
            raise NoBootRecord("its checksum is wrong")
        said = _variables_in(content)
        if said.get("format") != FORMAT:
            raise NoBootRecord(f"it is of another format than {FORMAT}")
        try:
            return cls(_number(said["generation"]), _state(said))
        except KeyError as error:
            raise NoBootRecord(f"{_PREFIX}{error.args[0]} is missing") from error
        except ValueError as error:
            raise NoBootRecord(f"it makes no sense: {error}") from error


def _variables_in(content: bytes) -> dict[str, str]:
    """Ours among the variables, by the name without its prefix; who writes more than these may do so."""
    said: dict[str, str] = {}
    for entry in content.split(b"\0"):
        if not entry:
            break  # The end: two zeros.
        name, equals, value = entry.decode("ascii", errors="replace").partition("=")
        if equals and name.startswith(_PREFIX):
            said[name.removeprefix(_PREFIX)] = value
    return said


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no hexadecimal number")
    return int(text, 16)


def _state(said: dict[str, str]) -> BootState:
    good = SystemSlot(said["good"])
    of_slot = {slot: _release(said, f"release_{slot.value}") for slot in SystemSlot}
    good_release = of_slot[good]
    if good_release is None:
        raise ValueError("the good slot has no release")
    return BootState(
        good=good,
        other=Standing(said["other"]),
        tries=_number(said["tries"]),
        good_release=good_release,
        other_release=of_slot[good.other],
        minimum=Release.parse(said["minimum"]),
        staged_minimum=_release(said, "staged_minimum"),
    )


def _release(said: dict[str, str], name: str) -> Release | None:
    return Release.parse(said[name]) if name in said else None
