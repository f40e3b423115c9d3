"""Metadata in whatever form they come: which it is is seen by their first octets."""

import codecs
from datetime import tzinfo

from distribution_center.content.errors import BadMetadata
from distribution_center.content.metadata import adi, plain, scte236
from distribution_center.content.metadata.program_metadata import MetadataForm, ProgramMetadata
from distribution_center.content.metadata.understanding import understand
from distribution_center.content.metadata.xml_document import read_xml

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_XML_FORMS = {adi.ROOT: (MetadataForm.ADI, adi), scte236.ROOT: (MetadataForm.SCTE_236, scte236)}


def looks_like_metadata(octets: bytes) -> bool:
    """Whether a file that begins so may be metadata: no film begins like XML or JSON."""
    return _first(octets) in {b"<", b"{"}


def read_metadata(octets: bytes, source: str, zone: tzinfo) -> ProgramMetadata:
    """Read and understand; times without a zone are `zone`'s. Raises BadMetadata."""
    if _first(octets) == b"<":
        root = read_xml(octets, source)
        if root.name not in _XML_FORMS:
            raise BadMetadata(source, root.line, f"it is a {root.name[:40]!r}: metadata are an ADI or an ADI3 document")
        form, words = _XML_FORMS[root.name]
        return understand(form, list(words.assets(root)), words.VOCABULARY, zone)
    if _first(octets) == b"{":
        return understand(MetadataForm.JSON, plain.assets(octets, source), plain.VOCABULARY, zone)
    raise BadMetadata(source, 0, "it is no metadata: name an ADI, SCTE 236 or JSON file")


def _first(octets: bytes) -> bytes:
    """The first octet that says something."""
    for mark in _MARKS:
        octets = octets.removeprefix(mark)
    return octets[:256].lstrip(b" \t\r\n\0")[:1]
