"""A release of what is flashed, as its numbers: they are compared, where text would say that 0.10 is older than 0.9."""

import re
from typing import NamedTuple

_NUMBER_MAX = 65_535
_PATTERN = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})", re.ASCII)


class Release(NamedTuple):
    """Major, minor and patch number."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Release":
        """Read `1.2.3`. Raises ValueError: it is none."""
        found = _PATTERN.fullmatch(text)
        if not found or any(int(number) > _NUMBER_MAX for number in found.groups()):
            raise ValueError(f"{text!r} is no release: three numbers up to {_NUMBER_MAX}, such as 1.2.3")
        return cls(*map(int, found.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
