"""YAML documents that people write: topologies and scenarios."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from media_network.document import Document, DocumentError, NotTheGrammar


def yaml_document(path: Path, what: str, error: type[DocumentError]) -> Document:
    """A document in YAML."""
    return Document(path, what, error, parse_yaml, "YAML")


def parse_yaml(text: str) -> object:
    """Read YAML. Raises NotTheGrammar, which says the place: the library's reason is not for persons."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- it is a SafeLoader
    except _BadKey as error:
        raise NotTheGrammar(f"{_place(error)}: {error.problem}") from error
    except yaml.YAMLError as error:
        reason = "is not understood; keys stand below each other, indented by blanks"
        raise NotTheGrammar(f"{_place(error)} {reason}") from error


class _BadKey(yaml.MarkedYAMLError):
    """A key that YAML allows, and this project does not."""


class _Loader(yaml.SafeLoader):
    """YAML's loader takes the last of two equal keys without a word; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 -- the signature is yaml's
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _BadKey(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise _BadKey(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _place(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}"
    return "something in it"
