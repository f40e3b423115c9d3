"""What a program's metadata mean, whatever form they came in: each form says by which names it calls a fact.

What is not understood is kept, and said in a warning where it would have been used.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum, auto
from typing import TypeVar

from distribution_center.content.metadata.languages import language_tag
from distribution_center.content.metadata.moments import moment, run_time_ms
from distribution_center.content.metadata.program_metadata import (
    MetadataAsset,
    MetadataField,
    MetadataForm,
    ProgramMetadata,
)

_Value = TypeVar("_Value")

_DIGESTS = {32: "md5", 64: "sha256"}
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
_SHOWN = 60
_WARNINGS_MAX = 100
_TOLERATED_MS = 60_000
"""A run time for display has no seconds."""
_FILM, _PICTURES = ("movie", "film", "encrypted"), ("poster", "boxcover", "picture")
_WITHOUT_FILE = frozenset({"package", "title", "offer", "terms", "contentgroup", "category", "program"})


class Fact(Enum):
    """What this system wants to know."""

    TITLE = auto()
    SUMMARY = auto()
    RATING = auto()
    YEAR = auto()
    GENRE = auto()
    LANGUAGE = auto()
    RUN_TIME = auto()
    DISPLAYED_RUN_TIME = auto()
    WINDOW_BEGINS = auto()
    WINDOW_ENDS = auto()
    FILE = auto()
    LENGTH = auto()
    DIGEST = auto()


Vocabulary = Mapping[Fact, tuple[str, ...]]
"""The names of a fact, the one that is preferred first."""


@dataclass
class RawAsset:
    """An asset as it was read: its values under their names, in order."""

    kind: str
    identity: str = ""
    line: int = 0
    fields: list[MetadataField] = field(default_factory=list)

    def add(self, name: str, value: str, line: int) -> None:
        """Keep a value."""
        self.fields.append(MetadataField(asset=self.kind, name=name, value=value, line=line))


def understand(form: MetadataForm, assets: Sequence[RawAsset], vocabulary: Vocabulary, zone: tzinfo) -> ProgramMetadata:
    """Make sense of a program's assets. Times without a zone are `zone`'s."""
    return _Understanding(assets, vocabulary, zone).program(form)


class _Understanding:
    def __init__(self, assets: Sequence[RawAsset], vocabulary: Vocabulary, zone: tzinfo) -> None:
        self._assets = assets
        self._vocabulary = vocabulary
        self._zone = zone
        self._zone_supposed = False
        self._warnings: dict[str, None] = {}
        film_kind = next((kind for kind in _FILM if any(one.kind == kind for one in assets)), None)
        # Of a preview nothing is said of the program.
        self._about = [one for one in assets if one.kind in _WITHOUT_FILE or one.kind == film_kind]

    def program(self, form: MetadataForm) -> ProgramMetadata:
        self._warn_of_repeated_identities()
        films = self._files(_FILM)
        if len(films) > 1:
            self._warn(f"it names {len(films)} films: the first one is taken", films[1].line)
        if not films:
            self._warn("it names no film")
        begins, ends = self._window()
        title = self._one(Fact.TITLE)
        if not title:
            self._warn("it has no title: the name of the file is taken")
        known = {id(asset) for kinds in (_FILM, _PICTURES) for asset in self._of(kinds)}
        others = [asset for asset in self._assets if id(asset) not in known and asset.kind not in _WITHOUT_FILE]
        return ProgramMetadata(
            form=form,
            title=title or None,
            summary=self._one(Fact.SUMMARY),
            rating=self._one(Fact.RATING),
            year=self._one(Fact.YEAR),
            genres=self._all(Fact.GENRE),
            languages=self._languages(),
            run_time_ms=self._run_time_ms(),
            window_begins_ms=begins,
            window_ends_ms=ends,
            film=films[0] if films else None,
            pictures=self._files(_PICTURES),
            others=tuple(self._file(asset) for asset in others),
            fields=tuple(one for asset in self._assets for one in asset.fields),
            warnings=tuple(self._warnings),
        )

    def _of(self, kinds: Iterable[str]) -> list[RawAsset]:
        return [asset for kind in kinds for asset in self._assets if asset.kind == kind]

    def _files(self, kinds: Iterable[str]) -> tuple[MetadataAsset, ...]:
        return tuple(self._file(asset) for asset in self._of(kinds))

    def _file(self, asset: RawAsset) -> MetadataAsset:
        digests = self._parsed([asset], Fact.DIGEST, _digest) or {}
        file = self._first([asset], Fact.FILE)
        if file is None:
            self._warn(f"the {asset.kind} has no file", asset.line)
        return MetadataAsset(
            kind=asset.kind,
            identity=asset.identity,
            file=file.value if file else None,
            length_bytes=self._parsed([asset], Fact.LENGTH, _length),
            md5=digests.get("md5"),
            sha256=digests.get("sha256"),
            line=asset.line,
        )

    def _window(self) -> tuple[int | None, int | None]:
        begins = self._parsed(self._about, Fact.WINDOW_BEGINS, lambda text: self._moment_ms(text, end_of_day=False))
        ends = self._parsed(self._about, Fact.WINDOW_ENDS, lambda text: self._moment_ms(text, end_of_day=True))
        if self._zone_supposed:
            self._warn(f"its times have no zone: they are taken as {self._zone}")
        if begins is not None and ends is not None and ends <= begins:
            self._warn("its window ends before it begins: neither time is taken")
            return None, None
        return begins, ends

    def _moment_ms(self, text: str, *, end_of_day: bool) -> int:
        found = moment(text, self._zone, end_of_day=end_of_day)
        self._zone_supposed |= found.zone_supposed
        return found.at_ms

    def _run_time_ms(self) -> int | None:
        exact = self._parsed(self._about, Fact.RUN_TIME, run_time_ms)
        displayed = self._parsed(self._about, Fact.DISPLAYED_RUN_TIME, run_time_ms)
        if exact is not None and displayed is not None and abs(exact - displayed) > _TOLERATED_MS:
            self._warn(f"it says that it runs {exact / 1000:.0f} s, and {displayed / 1000:.0f} s for display")
        return displayed if exact is None else exact

    def _languages(self) -> tuple[str, ...]:
        tags = []
        for text in self._all(Fact.LANGUAGE):
            if tag := language_tag(text):
                tags.append(tag)
            else:
                self._warn(f"{text[:_SHOWN]!r} is no language")
        return tuple(dict.fromkeys(tags))

    def _all(self, fact: Fact) -> tuple[str, ...]:
        """Every value of a fact, each once."""
        names = self._vocabulary.get(fact, ())
        values = (one.value for asset in self._about for one in asset.fields if one.name in names and one.value)
        return tuple(dict.fromkeys(values))

    def _one(self, fact: Fact) -> str | None:
        found = self._first(self._about, fact)
        return found.value if found else None

    def _parsed(self, assets: Sequence[RawAsset], fact: Fact, parse: Callable[[str], _Value]) -> _Value | None:
        found = self._first(assets, fact)
        if found is None:
            return None
        try:
            return parse(found.value)
        except ValueError as error:
            self._warn(f"{found.name} is left out: {error}", found.line)
            return None

    def _first(self, assets: Sequence[RawAsset], fact: Fact) -> MetadataField | None:
        """The first value under the name that is preferred; that another one contradicts it is said."""
        for name in self._vocabulary.get(fact, ()):
            values = [one for asset in assets for one in asset.fields if one.name == name and one.value]
            if values:
                other = next((one for one in values if one.value != values[0].value), None)
                if other:
                    self._warn(f"{name} comes again and is another: the first one is taken", other.line)
                return values[0]
        return None

    def _warn_of_repeated_identities(self) -> None:
        seen: set[str] = set()
        for asset in self._assets:
            if asset.identity and asset.identity in seen:
                self._warn(f"two assets are called {asset.identity[:_SHOWN]}", asset.line)
            seen.add(asset.identity)

    def _warn(self, sentence: str, line: int = 0) -> None:
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in sentence)
        said = f"line {line}: {shown}" if line else shown
        if len(self._warnings) < _WARNINGS_MAX:
            self._warnings[said] = None


def _length(text: str) -> int:
    if not _LENGTH.fullmatch(text):
        raise ValueError(f"{text[:_SHOWN]!r} is no number of bytes")
    return int(text)


def _digest(text: str) -> dict[str, str]:
    kind = _DIGESTS.get(len(text)) if _HEXADECIMAL.fullmatch(text) else None
    if kind is None:
        raise ValueError(f"{text[:_SHOWN]!r} is neither an MD5 nor a SHA-256 digest")
    return {kind: text.lower()}
