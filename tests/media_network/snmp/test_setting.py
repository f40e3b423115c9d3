"""SET: all or nothing, and the right reason."""

import pytest

from media_network.snmp import ber
from media_network.snmp.pdu import PduType, write_pdu
from media_network.snmp.value import (
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    NULL_VALUE,
    OBJECT_ID,
    OCTET_STRING,
    ErrorStatus,
    ValueRefused,
)
from tests.media_network.snmp.specimen import (
    ENTRY,
    FRAGILE,
    KEY,
    LEVEL,
    NAME,
    STATE,
    UPTIME,
    Manager,
    Specimen,
    request,
    set_request,
)

WRITER = "read-write-SHA-256-AES"


def of(name):
    return (*name, 0)


GOOD = (of(NAME), DISPLAY_STRING.encode("there"))


@pytest.fixture
def specimen():
    return Specimen()


@pytest.fixture
def manager(specimen):
    return Manager(specimen)


@pytest.fixture(params=["v2c", "v3"])
def put(request, manager):
    """Send a SET both ways."""
    if request.param == "v2c":
        return lambda *bindings: manager.community("writer", set_request(*bindings))
    return lambda *bindings: manager.secure(WRITER, set_request(*bindings))


def test_several_variables_are_set_at_once_and_answered_as_they_came(put, specimen):
    bindings = (GOOD, (of(LEVEL), INTEGER32.encode(9)), (of(STATE), INTEGER32.encode(2)))
    status, index, answered = put(*bindings)
    assert (status, index) == (ErrorStatus.NO_ERROR, 0)
    assert [(name, ber.tagged(tag, content)) for name, tag, content in answered] == list(bindings)
    assert (specimen.name, specimen.level, specimen.state) == ("there", 9, 2)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        (of(NAME), INTEGER32.encode(1), ErrorStatus.WRONG_TYPE),
        (of(NAME), NULL_VALUE, ErrorStatus.WRONG_TYPE),
        (of(NAME), OBJECT_ID.encode((1, 3)), ErrorStatus.WRONG_TYPE),
        (of(NAME), DISPLAY_STRING.encode(""), ErrorStatus.WRONG_LENGTH),
        (of(NAME), DISPLAY_STRING.encode("x" * 33), ErrorStatus.WRONG_LENGTH),
        (of(NAME), OCTET_STRING.encode(b"\xff\xfe"), ErrorStatus.WRONG_ENCODING),
        (of(NAME), DISPLAY_STRING.encode("refused"), ErrorStatus.INCONSISTENT_VALUE),
        (of(KEY), OCTET_STRING.encode(b"1234"), ErrorStatus.WRONG_LENGTH),
        (of(LEVEL), INTEGER32.encode(11), ErrorStatus.WRONG_VALUE),
        (of(LEVEL), INTEGER32.encode(-1), ErrorStatus.WRONG_VALUE),
        (of(LEVEL), b"\x02\x05\x01\0\0\0\0", ErrorStatus.WRONG_ENCODING),
        (of(LEVEL), b"\x02\0", ErrorStatus.WRONG_ENCODING),
        (of(LEVEL), GAUGE32.encode(3), ErrorStatus.WRONG_TYPE),
        (of(LEVEL), COUNTER64.encode(3), ErrorStatus.WRONG_TYPE),
        (of(STATE), INTEGER32.encode(3), ErrorStatus.WRONG_VALUE),
        (of(FRAGILE), GAUGE32.encode(3), None),
        (of(FRAGILE), b"\x42\x04\x80\0\0\0", ErrorStatus.WRONG_ENCODING),
        (of(UPTIME), b"\x43\x01\x05", ErrorStatus.NOT_WRITABLE),
        ((*ENTRY, 1, 1), INTEGER32.encode(3), ErrorStatus.NOT_WRITABLE),
        ((1, 3, 6, 1, 2, 1, 99, 0), INTEGER32.encode(3), ErrorStatus.NOT_WRITABLE),
        ((*NAME, 1), DISPLAY_STRING.encode("there"), ErrorStatus.NO_CREATION),
        ((*NAME, 0, 0), DISPLAY_STRING.encode("there"), ErrorStatus.NO_CREATION),
        (NAME, DISPLAY_STRING.encode("there"), ErrorStatus.NO_CREATION),
        ((2, 3), INTEGER32.encode(3), ErrorStatus.NO_ACCESS),
    ],
)
def test_what_cannot_be_set_is_named_and_nothing_is_set(put, specimen, name, value, status):
    if status is None:
        assert put(GOOD, (name, value))[:2] == (ErrorStatus.NO_ERROR, 0)
        return
    assert put(GOOD, (name, value), GOOD)[:2] == (status, 2)
    assert specimen.written == []
    assert specimen.name == "here"


@pytest.mark.parametrize("failure", [ValueRefused(ErrorStatus.RESOURCE_UNAVAILABLE), OSError("the disk is full")])
def test_what_was_set_before_a_failure_is_set_back(put, specimen, failure):
    specimen.failures = [failure]
    fragile = (of(FRAGILE), GAUGE32.encode(3))
    assert put(GOOD, (of(LEVEL), INTEGER32.encode(9)), fragile)[:2] == (ErrorStatus.COMMIT_FAILED, 3)
    assert (specimen.name, specimen.level) == ("here", 5)
    assert [verb for verb, _, _ in specimen.written] == ["commit", "commit", "undo", "undo"]


def test_what_cannot_be_set_back_is_told(put, specimen):
    specimen.failures = [None, ValueRefused(ErrorStatus.COMMIT_FAILED)]
    fragile = (of(FRAGILE), GAUGE32.encode(3))
    assert put(GOOD, fragile, fragile)[:2] == (ErrorStatus.UNDO_FAILED, 0)
    assert specimen.name == "here"


def test_bindings_that_make_no_sense_set_nothing(manager, specimen):
    good = set_request(GOOD)
    for spoiled in (b"\x30\x80\0\0", b"\x30\x02\x06\x00", b"\x30\x05\x06\x84\xff\xff\xff", b"\x30\x03\x02\x01\x01"):
        body = good[2:] + spoiled
        pdu = write_pdu(PduType.SET, ber.integer(1), body[body.index(b"\x30") + 2 :])
        assert manager.community("writer", pdu) is None
    assert manager.counters.in_asn_parse_errors == 4
    assert specimen.written == []


def test_a_set_whose_answer_would_not_fit_is_not_made(manager, specimen):
    long = set_request(*[GOOD] * 60)
    user = manager.users[WRITER]
    manager.max_size = 484
    answer = manager.send(manager.message(user, long))
    assert manager.opened(answer)[:2] == (ErrorStatus.TOO_BIG, 0)
    assert specimen.written == []
    assert manager.secure(WRITER, request(PduType.GET, of(NAME)))[2][0][2] == b"here"
