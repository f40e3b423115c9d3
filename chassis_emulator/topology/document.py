"""YAML documents that people write, read strictly: an error names the key at fault and what it may be."""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml
from msgspec import NODEFAULT, Meta, Struct

from chassis_emulator.errors import EmulatorError

_Read = TypeVar("_Read", bound=Struct)


class DocumentError(EmulatorError):
    """A file that does not say what it should; `key` is the path of the key at fault, empty for the whole file."""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(path, key, reason)
        self.path = path
        self.key = key
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.key} {self.reason}." if self.key else f"{self.path}: {self.reason}."


class Document:
    """One file. `error` is made of its path, the path of the key at fault and the reason."""

    def __init__(self, path: Path, what: str, error: type[DocumentError]) -> None:
        self.path = path
        self._what = what
        self._error = error

    def load(self) -> object:
        """Read it. Raises the document's error."""
        try:
            return yaml.load(self.path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- it is a SafeLoader
        except OSError as error:
            raise self.wrong("", f"cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise self.wrong("", "is not UTF-8 text") from error
        except yaml.YAMLError as error:
            raise self.wrong("", f"is not YAML: {_yaml_reason(error)}") from error

    def wrong(self, key: str, reason: str) -> DocumentError:
        """Make the error to raise."""
        return self._error(self.path, key, reason)

    def mapping(self, document: object, legal: tuple[str, ...], at: str) -> dict[str, Any]:
        """A mapping with no other keys than these."""
        if not isinstance(document, dict):
            raise self.wrong(at, f"must be a mapping with the keys {', '.join(legal)}")
        for key in document:
            if key not in legal:
                raise self.wrong(below(at, key), f"is not a key of a {self._what}; here are: {', '.join(legal)}")
        return document

    def struct(self, kind: type[_Read], document: object, at: str) -> _Read:
        """One mapping, key by key, so that an error knows the key, its index and what it may be."""
        known = self.mapping(document, kind.__struct_fields__, at)
        types = get_type_hints(kind, include_extras=True)
        values: dict[str, object] = {}
        for field in msgspec.structs.fields(kind):
            if field.name in known:
                values[field.name] = self._value(types[field.name], known[field.name], below(at, field.name))
            elif field.default is NODEFAULT:
                raise self.wrong(below(at, field.name), "is missing")
        return kind(**values)

    def items(self, document: object, at: str, read: Callable[[object, str], Any]) -> tuple[Any, ...]:
        """A list with at least one entry."""
        if not isinstance(document, list) or not document:
            raise self.wrong(at, "must be a list with at least one entry")
        return tuple(read(entry, f"{at}[{index}]") for index, entry in enumerate(document))

    def one_of(self, choices: Mapping[str, Any], document: Mapping[str, Any], key: str, at: str) -> Any:
        """What the word under a key stands for."""
        if key not in document:
            raise self.wrong(below(at, key), "is missing")
        word = document[key]
        if not isinstance(word, str) or word not in choices:
            raise self.wrong(below(at, key), f"is {_shown(word)}; it must be one of {', '.join(choices)}")
        return choices[word]

    def value(self, kind: Any, value: object, at: str) -> Any:
        """One value of a type, whose limits may be described."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise self.wrong(at, f"is {_shown(value)}; it must be {_described(kind, error)}") from error

    def _value(self, kind: Any, value: object, at: str) -> object:
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind, value, at)
        item = _item_of(kind)
        if item is not None:
            limits: Meta = get_args(kind)[1]
            if not isinstance(value, list) or not 0 < len(value) <= (limits.max_length or 0):
                raise self.wrong(at, f"must be {limits.description}")
            return tuple(self._value(item, entry, f"{at}[{index}]") for index, entry in enumerate(value))
        return self.value(kind, value, at)


def below(at: str, key: object) -> str:
    """The path of a key."""
    return f"{at}.{key}" if at else str(key)


def _item_of(kind: Any) -> Any:
    """Of a described tuple, the type of its entries; None of any other type."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_args(plain)[0] if get_origin(plain) is tuple else None


def _described(kind: Any, error: msgspec.ValidationError) -> str:
    metas = kind.__metadata__ if get_origin(kind) is Annotated else ()
    description = next((meta.description for meta in metas if isinstance(meta, Meta) and meta.description), None)
    return description or f"{error}".replace("Expected ", "").partition(" - at")[0]


class _Loader(yaml.SafeLoader):
    """YAML's loader takes the last of two equal keys without a word; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- the signature is yaml's
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml_reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


def _shown(value: object) -> str:
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
