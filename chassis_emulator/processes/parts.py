"""The parts of a network that run as processes: what each is told, and the coroutine that it is."""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

Settings = TypeVar("Settings", bound=Struct)


@dataclass(frozen=True)
class ProcessPart(Generic[Settings]):
    """A kind of process."""

    settings: type[Settings]
    run: Callable[[Settings, random.Random], Coroutine[Any, Any, None]]

    async def start(self, settings: bytes, rng: random.Random) -> None:
        """Run it with settings in JSON. Raises msgspec.ValidationError if they are not this part's."""
        await self.run(msgspec.json.decode(settings, type=self.settings), rng)


def encode_settings(settings: Struct) -> msgspec.Raw:
    """Settings in JSON, for `ProcessPart.start`."""
    return msgspec.Raw(msgspec.json.encode(settings))
