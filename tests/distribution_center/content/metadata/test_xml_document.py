"""Hostile XML: nothing is expanded, nothing is fetched, and what it may cost is bounded."""

import socket
import tracemalloc
from time import process_time

import pytest

from distribution_center.content.errors import BadMetadata
from distribution_center.content.metadata.program_metadata import METADATA_BYTES_MAX
from distribution_center.content.metadata.xml_document import DEPTH_MAX, read_xml
from tests.distribution_center.content.metadata.documents import ADI

LAUGHS = '<!DOCTYPE ADI [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<ADI x="&b;"/>'


def refusal(document):
    octets = document.encode() if isinstance(document, str) else document
    with pytest.raises(BadMetadata) as caught:
        read_xml(octets, "adi.xml")
    assert str(caught.value).startswith("adi.xml, line ")
    return caught.value.line, caught.value.reason


@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        '<!DOCTYPE ADI [<!ENTITY a SYSTEM "file:///etc/passwd">]><ADI>&a;</ADI>',
        '<!DOCTYPE ADI [<!ENTITY % a SYSTEM "http://127.0.0.1:9/a.dtd">%a;]><ADI/>',
        '<!DOCTYPE ADI [<!ENTITY a "1">]><ADI/>',
    ],
)
def test_whoever_declares_an_entity_is_refused(document, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    assert refusal(document) == (1, "it declares the entity 'a': write the text itself")


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE ADI SYSTEM "ADI.DTD">\n<ADI>a &nbsp; b</ADI>',
        '<!DOCTYPE ADI SYSTEM "ADI.DTD">\n<ADI a="a &nbsp; b"/>',
        '<!DOCTYPE ADI SYSTEM "ADI.DTD">\n<ADI b=">" a=\'a "&nbsp;" b\'/>',
    ],
)
def test_an_entity_that_only_a_dtd_could_know_is_refused_and_not_left_out(document):
    assert refusal(document) == (2, "it uses the entity 'nbsp': write the text itself")


def test_a_doctype_alone_asks_for_nothing(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    assert read_xml(ADI.encode(), "adi.xml").name == "ADI"


def test_what_a_document_declares_for_all_its_elements_is_not_multiplied():
    default = "x" * 500_000
    document = f'<!DOCTYPE ADI [<!ATTLIST a b CDATA "{default}">]><ADI>{"<a/>" * 15_000}</ADI>'
    root = read_xml(document.encode(), "adi.xml")
    assert root.children[0].attributes == ()


@pytest.mark.parametrize(
    ("document", "line", "reason"),
    [
        (b"", 1, "there is no element in it"),
        (b"<ADI", 1, "it ends inside a tag"),
        (b"<ADI>\n<a>\n</ADI>", 3, "an element is closed that is not the open one"),
        (b"<ADI>\n", 2, "there is no element in it"),
        (b'<ADI a="1"\n b="2"\n a="3"/>', 3, "an attribute comes twice"),
        (b"<ADI/>\n<ADI/>", 2, "this is no well-formed XML"),
        ("<ADI>\n\xfc</ADI>".encode("latin-1"), 2, "this is no XML, or not in the encoding that it names"),
        (b'<?xml version="1.0" encoding="klingon"?><ADI/>', 1, "nobody knows its encoding: write it in UTF-8"),
        (b'<?xml version="1.0" encoding="shift_jis"?><ADI/>', 1, "nobody knows its encoding: write it in UTF-8"),
        (b"\xff\xfe<", 1, "it begins as UTF-16 and does not go on so"),
        (b"<a:ADI/>", 1, "a prefix stands for no namespace"),
        (b"<ADI>" * 40 + b"</ADI>" * 40, 1, f"there are more than {DEPTH_MAX} elements in each other"),
        (b"<ADI>" + b"<a/>" * 20_001 + b"</ADI>", 1, "there are more than 20000 elements in it"),
        (b"<ADI %s/>" % b" ".join(b'a%d=""' % n for n in range(65)), 1, "more than 64 attributes of one element"),
        (b"<%s/>" % (b"a" * 300), 1, "a name has more than 200 letters"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(document, line, reason):
    found_line, found_reason = refusal(document)
    assert reason in found_reason
    assert found_line == line


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(encoding):
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n' if encoding in {"latin-1", "cp1252"} else ""
    root = read_xml(f'{head}<ADI a="\xe9">\xfc</ADI>'.encode(encoding), "adi.xml")
    assert (root.attributes, root.text) == ((("a", "\xe9"),), "\xfc")


def test_a_document_that_is_too_long_is_not_read():
    with pytest.raises(BadMetadata, match="and metadata have at most 1048576"):
        read_xml(b'<ADI a="' + bytes(METADATA_BYTES_MAX), "adi.xml")


def element_with_names_of_its_own(number):
    attributes = b" ".join(b'a%d%d=""' % (number, other) for other in range(8))
    return b"<a%d %s/>" % (number, attributes)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b'<ADI a="' + b"x" * 1_000_000 + b'"/>', id="one attribute"),
        pytest.param(b"<ADI>" + b"<a>" * 9 + b"x" * 1_000_000 + b"</a>" * 9 + b"</ADI>", id="one text"),
        pytest.param(b"<ADI>" + (b"<a>" + b"&amp;" * 10 + b"</a>") * 17_000 + b"</ADI>", id="many texts"),
        pytest.param(b"<ADI>" + b"".join(map(element_with_names_of_its_own, range(9000))) + b"</ADI>", id="many names"),
    ],
)
def test_what_a_document_costs_is_bounded(document):
    assert len(document) <= METADATA_BYTES_MAX
    tracemalloc.start()
    begun = process_time()
    read_xml(document, "adi.xml")
    cost_s = process_time() - begun
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{peak_bytes / 1e6:.0f} MB, {cost_s:.2f} s of CPU")
    assert peak_bytes < 40e6
    assert cost_s < 10
