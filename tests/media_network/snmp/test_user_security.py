"""The user-based security model: keys, discovery, time window, reports."""

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given
from hypothesis import strategies as st

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.budget import Allowance
from media_network.snmp.cipher import Aes
from media_network.snmp.engine import Limits
from media_network.snmp.keys import AUTH_PROTOCOLS, localized, password_to_key
from media_network.snmp.message import read_header, read_parameters, write_scoped_pdu
from media_network.snmp.pdu import PduType
from media_network.snmp.usm import MAX_BOOTS, EngineIdentity
from media_network.snmp.value import DISPLAY_STRING, ErrorStatus
from tests.media_network.snmp.specimen import IDENTITY, MESSAGE_ID, NAME, USERS, Manager, Specimen, request, set_request

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:
    from cryptography.hazmat.primitives.ciphers.modes import CFB

GET_NAME = request(PduType.GET, (*NAME, 0))
SET_NAME = set_request(((*NAME, 0), DISPLAY_STRING.encode("there")))
WRITER = "read-write-SHA-256-AES"
STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)


def test_keys_are_those_of_rfc_3414_a_3_2():
    engine_id = bytes.fromhex("000000000000000000000002")
    assert password_to_key("sha1", b"maplesyrup").hex() == "9fb5cc0381497b3793528939ff788d5d79145211"
    assert localized("sha1", b"maplesyrup", engine_id).hex() == "6695febc9288e36282235fc7151f128497b38f3f"


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=100), st.binary(min_size=16, max_size=16)), max_size=8))
def test_our_cfb_is_that_of_others_message_after_message(messages):
    key = bytes(range(16))
    ours = Aes(key)
    for encrypting, octets, vector in messages:
        theirs = Cipher(AES(key), CFB(vector))
        if encrypting:
            assert ours.encrypt(octets, vector) == theirs.encryptor().update(octets)
        else:
            assert ours.decrypt(octets, vector) == theirs.decryptor().update(octets)


@pytest.mark.parametrize(
    ("name", "octets", "number"),
    [("SHA-1", 12, 3), ("SHA-224", 16, 4), ("SHA-256", 24, 5), ("SHA-384", 32, 6), ("SHA-512", 48, 7)],
)
def test_protocols_are_those_of_rfc_3414_and_rfc_7860(name, octets, number):
    assert (AUTH_PROTOCOLS[name].code_octets, AUTH_PROTOCOLS[name].oid) == (
        octets,
        (1, 3, 6, 1, 6, 3, 10, 1, 1, number),
    )


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.user)
def test_every_combination_reads_and_answers_in_kind(user):
    level = Level.AUTH_NO_PRIV if user.priv_protocol == "none" else Level.AUTH_PRIV
    manager = Manager()
    message = manager.message(user.user, GET_NAME, level)
    answer = manager.send(message)
    assert manager.opened(answer)[2][0][2] == b"here"
    assert (b"here" in answer) is (level == Level.AUTH_NO_PRIV)


def report(manager, message):
    """Send what is answered by a report, and give the counter's name and value."""
    answer = manager.send(message)
    _, _, ((name, tag, content),) = manager.opened(answer)
    assert tag == 0x41
    return name, int.from_bytes(content, "big")


def test_discovery_tells_engine_id_boots_and_time():
    manager = Manager()
    manager.now = 1234.0
    stranger = manager.security(identity=EngineIdentity(b"", 0))
    message = stranger.seal(
        MESSAGE_ID, write_scoped_pdu(b"", b"", request(PduType.GET)), None, Level.NO_AUTH_NO_PRIV, 1000
    )
    answer = manager.send(message)
    _, _, ((name, _, content),) = manager.opened(answer)
    assert (name, content) == ((*STATS, 4, 0), b"\x01")
    assert IDENTITY.engine_id in answer
    assert b"\x02\x01\x07\x02\x02\x00\xea" in answer  # boots 7, time 234
    assert manager.counters.unknown_engine_ids == 1


def test_every_report_echoes_the_user_that_it_was_asked_with():
    """RFC 3414, 3.1 and 3.2: perl's Net::SNMP, for one, takes no report without it."""
    manager = Manager()
    known = next(user for user in USERS if user.user == WRITER)
    wrong = manager.user(known, auth_password="authentication-2")
    stranger = manager.security(identity=EngineIdentity(b"", 0))
    probe = stranger.seal(
        MESSAGE_ID, write_scoped_pdu(b"", b"", request(PduType.GET)), None, Level.NO_AUTH_NO_PRIV, 1000, name=b"nobody"
    )
    for message, name in (
        (manager.message(wrong, SET_NAME), WRITER.encode()),
        (probe, b"nobody"),
        (probe.replace(b"nobody", b"anyone"), b"anyone"),
        (manager.message(manager.user(known, name="stranger"), SET_NAME), b"stranger"),
    ):
        answer = manager.send(message)
        at = ber.read_integer(answer, ber.read_expected(answer, 0, len(answer), ber.SEQUENCE)[0], len(answer))[1]
        header = read_header(answer, at, len(answer))
        assert read_parameters(answer, header.parameters, header.data).user == name


def test_each_fault_has_its_counter_and_its_report():
    manager = Manager()
    known = next(user for user in USERS if user.user == WRITER)
    plain = next(user for user in USERS if user.user == "read-only-SHA-512-none")
    wrong = manager.user(known, auth_password="authentication-2")
    assert report(manager, manager.message(wrong, SET_NAME)) == ((*STATS, 5, 0), 1)
    garbled = manager.user(known, priv_password="encryption-2")
    assert report(manager, manager.message(garbled, SET_NAME)) == ((*STATS, 6, 0), 1)
    nobody = manager.user(msgspec.structs.replace(known, user="nobody"))
    assert report(manager, manager.message(nobody, SET_NAME)) == ((*STATS, 3, 0), 1)
    private = manager.user(plain, priv_password="encryption-1")
    assert report(manager, manager.message(private, SET_NAME)) == ((*STATS, 1, 0), 1)
    elsewhere = manager.security(identity=EngineIdentity(b"\x80\x00\x1f\x88\x04elsewhere", 7))
    assert report(manager, manager.message(WRITER, SET_NAME, security=elsewhere)) == ((*STATS, 4, 0), 1)
    assert manager.counters.authentication_failures == 2


@pytest.mark.parametrize("offset_s", [-151, 151, 100_000])
@pytest.mark.parametrize("level", [Level.AUTH_NO_PRIV, Level.AUTH_PRIV])
def test_a_message_outside_the_time_window_sets_nothing_and_its_report_is_authentic(offset_s, level):
    specimen = Specimen()
    manager = Manager(specimen)
    manager.now = 200_000.0
    late = manager.security(started=1000.0 + offset_s)
    message = manager.message(WRITER, SET_NAME, level, security=late)
    assert report(manager, message) == ((*STATS, 2, 0), 1)
    assert specimen.written == []
    assert manager.counters.not_in_time_windows == 1


@pytest.mark.parametrize("offset_s", [-150, 0, 150])
def test_a_message_at_the_edge_of_the_time_window_counts(offset_s):
    manager = Manager()
    manager.now = 200_000.0
    early = manager.security(started=1000.0 + offset_s)
    answer = manager.send(manager.message(WRITER, SET_NAME, security=early))
    assert manager.opened(answer)[0] == ErrorStatus.NO_ERROR


def test_a_message_of_an_earlier_start_is_not_taken_again():
    specimen = Specimen()
    manager = Manager(specimen, identity=EngineIdentity(IDENTITY.engine_id, 8))
    replayed = manager.message(WRITER, SET_NAME, security=manager.security(identity=IDENTITY))
    assert report(manager, replayed) == ((*STATS, 2, 0), 1)
    assert specimen.written == []


def test_an_engine_that_was_started_too_often_takes_no_authentic_message():
    specimen = Specimen()
    manager = Manager(specimen, identity=EngineIdentity(IDENTITY.engine_id, MAX_BOOTS))
    answer = manager.send(manager.message(WRITER, SET_NAME))
    assert answer is not None
    assert (manager.counters.not_in_time_windows, specimen.written) == (1, [])


def test_an_unknown_context_and_somebody_elses_are_reported():
    manager = Manager()
    unknown = manager.message(WRITER, SET_NAME, context=b"blade17")
    assert report(manager, unknown) == ((1, 3, 6, 1, 6, 3, 12, 1, 5, 0), 1)
    foreign = write_scoped_pdu(b"\x80\x00\x1f\x88\x04other", b"", SET_NAME)
    message = manager.security().seal(MESSAGE_ID, foreign, manager.users[WRITER], Level.AUTH_PRIV, manager.now)
    assert report(manager, message) == ((1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0), 1)


def test_who_does_not_ask_for_reports_gets_none():
    manager = Manager()
    message = manager.message("read-only-SHA-256-AES", GET_NAME)
    quiet = message.replace(b"\x04\x01\x07\x02\x01\x03", b"\x04\x01\x03\x02\x01\x03")
    assert quiet != message
    assert manager.send(quiet) is None
    assert manager.counters.wrong_digests == 1


def test_privacy_without_authentication_and_other_security_models_are_silent():
    manager = Manager()
    message = manager.message(WRITER, SET_NAME)
    assert manager.send(message.replace(b"\x04\x01\x07\x02\x01\x03", b"\x04\x01\x06\x02\x01\x03")) is None
    assert manager.send(message.replace(b"\x04\x01\x07\x02\x01\x03", b"\x04\x01\x07\x02\x01\x04")) is None
    assert (manager.counters.invalid_messages, manager.counters.unknown_security_models) == (1, 1)


def test_no_salt_is_used_twice():
    manager = Manager()
    message = manager.message(WRITER, GET_NAME)
    assert len({manager.send(message) for _ in range(300)}) == 300


def test_reports_are_rationed_and_answers_to_the_authentic_are_not():
    manager = Manager(limits=Limits(reports=Allowance(burst=5, rate=1)))
    stranger = manager.user(next(user for user in USERS if user.user == WRITER), auth_password="authentication-2")
    unknown = manager.message(stranger, GET_NAME)
    good = manager.message(WRITER, GET_NAME)
    assert [manager.send(unknown) is not None for _ in range(8)] == [True] * 5 + [False] * 3
    assert manager.counters.reports_withheld == 3
    assert manager.opened(manager.send(good))[0] == ErrorStatus.NO_ERROR
    assert manager.send(unknown, source="192.0.2.2") is not None
    manager.now += 2
    assert [manager.send(unknown) is not None for _ in range(3)] == [True, True, False]


def test_a_flood_under_made_up_addresses_keeps_nobody_from_meeting_the_agent():
    manager = Manager(limits=Limits(reports=Allowance(burst=5, rate=1)))
    stranger = manager.user(USERS[0], auth_password="authentication-2")
    unknown = manager.message(stranger, GET_NAME)
    for number in range(5000):
        manager.send(unknown, f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert [manager.send(unknown, "192.0.2.9") is not None for _ in range(7)] == [True] * 5 + [False] * 2
    assert len(manager.engine._budget._reports) <= 1024


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.user)
def test_no_report_is_worth_the_trouble_of_forging_a_source(user):
    manager = Manager()
    stranger = manager.user(user, auth_password="authentication-2")
    message = manager.message(stranger, request(PduType.GET_BULK, *[NAME] * 20, second=100), Level.AUTH_NO_PRIV)
    assert len(manager.send(message)) < len(message)
    discovery = manager.security(identity=EngineIdentity(b"", 0))
    probe = discovery.seal(
        MESSAGE_ID, write_scoped_pdu(b"", b"", request(PduType.GET)), None, Level.NO_AUTH_NO_PRIV, 1000
    )
    assert len(manager.send(probe)) <= 2 * len(probe)
