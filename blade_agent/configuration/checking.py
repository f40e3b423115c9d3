"""Everything that is wrong with a settings file, also what only the agent can know: whether a profile is there."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.profile import ProfileError, load_profile
from media_network.settings import SettingsFault, check_settings
from media_network.strict_reading import WrongKey

_PROFILE = "profile"


def check_file(path: Path, kind: type[Struct]) -> list[SettingsFault]:
    """Find all that a blade or a chassis manager would refuse. Raises SettingsError: it is no TOML, or not there."""
    return check_settings(path, kind, _wrong_profile)


def _wrong_profile(document: Mapping[str, object]) -> Iterator[WrongKey]:
    name = document.get(_PROFILE)
    if not name or not isinstance(name, str):
        return
    try:
        load_profile(name)
    except ProfileError as error:
        yield WrongKey(_PROFILE, f"is {name!r}: {error.reason}")
