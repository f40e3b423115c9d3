"""XML that a stranger wrote, as a tree: by expat, with nothing but the document itself.

Entities are refused where they are declared, or used without being known; no DTD, no other file and no network is ever
asked. What a document may have is bounded, so that a tree costs at most some 30 times its bytes.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from distribution_center.content.errors import BadMetadata
from distribution_center.content.metadata.program_metadata import FIELDS_MAX, METADATA_BYTES_MAX

DEPTH_MAX = 32
ATTRIBUTES_MAX = 64
"""Of one element."""
NAME_LENGTH_MAX = 200

_SEPARATOR = "\n"
_UTF_16 = {
    codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"
}  # fmt: skip
_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_UNKNOWN_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)([^;\s]{0,40})")
_REASONS = {
    expat.errors.XML_ERROR_INVALID_TOKEN: "this is no XML, or not in the encoding that it names",
    expat.errors.XML_ERROR_TAG_MISMATCH: "an element is closed that is not the open one",
    expat.errors.XML_ERROR_NO_ELEMENTS: "there is no element in it",
    expat.errors.XML_ERROR_UNCLOSED_TOKEN: "it ends inside a tag",
    expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "an attribute comes twice",
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: "it uses an entity",
    expat.errors.XML_ERROR_UNBOUND_PREFIX: "a prefix stands for no namespace",
    expat.errors.XML_ERROR_UNKNOWN_ENCODING: "nobody knows its encoding",
}


@dataclass(slots=True)
class Element:
    """An element; names are without their namespaces, which differ from one release of a form to the next."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    """In their order."""
    line: int
    children: "list[Element]" = field(default_factory=list)
    text: str = ""

    def attribute(self, name: str) -> str | None:
        """The value of an attribute."""
        return next((value for key, value in self.attributes if key == name), None)

    def all(self, name: str) -> "Iterator[Element]":
        """The children of a name."""
        return (child for child in self.children if child.name == name)


def read_xml(octets: bytes, source: str) -> Element:
    """Read a document; gives its root. Raises BadMetadata."""
    if len(octets) > METADATA_BYTES_MAX:
        raise BadMetadata(source, 0, f"it has {len(octets)} bytes, and metadata have at most {METADATA_BYTES_MAX}")
    reader = _Reader(octets, source)
    return reader.read()


class _Reader:
    def __init__(self, octets: bytes, source: str) -> None:
        self._source = source
        self._octets, encoding = _one_byte_at_least(octets, source)
        self._parser = parser = expat.ParserCreate(encoding, namespace_separator=_SEPARATOR)
        parser.ordered_attributes = True
        parser.specified_attributes = True  # a default that the document declares could be large, and come often
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse_declaration
        parser.SkippedEntityHandler = self._refuse_use
        parser.ExternalEntityRefHandler = self._refuse_reference
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._root: Element | None = None
        self._count = 0

    def read(self) -> Element:
        try:
            self._parser.Parse(self._octets, True)  # noqa: FBT003 -- expat's signature
        except expat.ExpatError as error:
            reason = _REASONS.get(expat.ErrorString(error.code), "this is no well-formed XML")
            raise BadMetadata(self._source, error.lineno, reason) from error
        except (LookupError, ValueError) as error:  # by whoever looks for the encoding
            raise BadMetadata(self._source, 1, "nobody knows its encoding: write it in UTF-8") from error
        if self._root is None:
            raise self._bad("there is no element in it")
        return self._root

    def _begin(self, name: str, attributes: list[str]) -> None:
        self._count += 1
        for many, most, what in (
            (self._count, FIELDS_MAX, "elements in it"),
            (len(self._open) + 1, DEPTH_MAX, "elements in each other"),
            (len(attributes) // 2, ATTRIBUTES_MAX, "attributes of one element"),
        ):
            if many > most:
                raise self._bad(f"there are more than {most} {what}")
        self._refuse_entities_in_attributes()
        pairs = zip(map(self._local, attributes[::2]), attributes[1::2], strict=True)
        element = Element(self._local(name), tuple(pairs), self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def _text(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def _local(self, name: str) -> str:
        local = name.rpartition(_SEPARATOR)[2]
        if len(local) > NAME_LENGTH_MAX:
            raise self._bad(f"a name has more than {NAME_LENGTH_MAX} letters")
        return local

    def _refuse_entities_in_attributes(self) -> None:
        """Expat leaves them out and says nothing where a DTD that it has not read might declare them."""
        tag = _TAG.match(self._octets, self._parser.CurrentByteIndex)
        if tag is None:
            raise self._bad("it is in an encoding without ASCII: write it in UTF-8")
        if unknown := _UNKNOWN_ENTITY.search(tag[0]):
            raise self._bad(f"it uses the entity {unknown[1].decode(errors='replace')!r}: write the text itself")

    def _refuse_declaration(self, name: str, *_: object) -> None:
        raise self._bad(f"it declares the entity {name[:40]!r}: write the text itself")

    def _refuse_use(self, name: str, _is_parameter: bool) -> None:  # noqa: FBT001 -- expat's signature
        raise self._bad(f"it uses the entity {name[:40]!r}: write the text itself")

    def _refuse_reference(self, *_: object) -> int:
        raise self._bad("it refers to another file")

    def _bad(self, reason: str) -> BadMetadata:
        return BadMetadata(self._source, self._parser.CurrentLineNumber, reason)


def _one_byte_at_least(octets: bytes, source: str) -> tuple[bytes, str | None]:
    """The document in an encoding in which tags are ASCII, and its name if that is not what the document says."""
    encoding = _UTF_16.get(octets[:2])
    if encoding is None:
        return octets, None
    try:
        return octets.decode(encoding).lstrip("\ufeff").encode(), "utf-8"
    except UnicodeError as error:
        raise BadMetadata(source, 1, "it begins as UTF-16 and does not go on so") from error
