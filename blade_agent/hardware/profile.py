"""Hardware profiles: what is known of a board, each fact with where it was read. Boards are data, not code."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from blade_agent.data import data_folder

Source = Annotated[str, Meta(min_length=8)]
"""A document or file that others can look the fact up in."""


class ProfileError(Exception):
    """A profile that is not there, or does not follow the schema."""

    def __init__(self, name: str, reason: str, known: tuple[str, ...]) -> None:
        super().__init__(name, reason, known)
        self.name = name
        self.reason = reason
        self.known = known

    def __str__(self) -> str:
        return f"hardware profile {self.name!r}: {self.reason} (there are: {', '.join(self.known)})"


class DeviceIdentity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Get Device ID answers (IPMI 2.0, 20.1). Numbers that nobody assigned are 0, "unspecified" there."""

    device_id: Annotated[int, Meta(ge=0, le=0xFF)] = 0
    device_revision: Annotated[int, Meta(ge=0, le=0x0F)] = 0
    manufacturer: Annotated[int, Meta(ge=0, lt=1 << 20)] = 0
    """IANA enterprise number of the board's maker."""
    product: Annotated[int, Meta(ge=0, lt=1 << 16)] = 0
    source: Source


class Port(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A serial port of the board."""

    device: str
    baud_rate: Annotated[int, Meta(ge=1200)]
    source: Source


class HardwareProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A board. What is not known of it is left out."""

    title: str
    identity: DeviceIdentity
    backplane: Port | None = None
    service_port: Port | None = None


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the agent."""
    return tuple(sorted(path.stem for path in data_folder("hw_profiles").glob("*.toml")))


def load_profile(name: str) -> HardwareProfile:
    """Read a profile by name, or by the path of a TOML file. Raises ProfileError."""
    path = Path(name) if name.endswith(".toml") else data_folder("hw_profiles") / f"{name}.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=HardwareProfile)
    except OSError as error:
        raise ProfileError(name, "there is none of that name", profile_names()) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ProfileError(name, str(error), profile_names()) from error
