"""Frozen bytes of a login and a packet in each cipher suite, made once with openssl from these fixed numbers."""

import pytest

from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES, SessionKeys
from blade_agent.chassis_manager.lan.packet import Packet, covered, read, write_protected
from blade_agent.chassis_manager.lan.rakp import Exchange

HEADER = "06c0d3197217010000002000505152535455565758595a5b5c5d5e5f"
VECTORS = {
    3: {
        "rakp_2": "ad248cdb7d2a33defe5edcf08847c4fa15db858e",
        "rakp_3": "93d663dfec03e14381d147711853e931f325b8ee",
        "session_integrity_key": "94236cf762f5fcb307887043836327fbe68ecd4a",
        "rakp_4": "9a6aab35f375f3c95202843f",
        "packet": HEADER + "b67fe8561528c97044e5f2a5521681ea" + "ffff0207" + "49ee1248d4fb0b236853299d",
    },
    17: {
        "rakp_2": "e8f27e25cda9eca2629b50a5eb4bafb99f9dc683c796c46a94b661ee9816321e",
        "rakp_3": "45b17fc055edd5cd975681d5c0133423403fc564ad95fc7f9324e55a81c9659c",
        "session_integrity_key": "1f5498c1648283f2a239d24fd17552d5e17f3e0364061df104d6ef79312d5d98",
        "rakp_4": "b492be1ffbe608c1d1320612a0313cfb",
        "packet": HEADER + "399f6a0998df67bbf1dc078f7f1cdc3f" + "ffff0207" + "6e85db2d6832c9b67635fa5b8b0e327e",
    },
}


def exchange(suite):
    return Exchange(
        suite=suite,
        key=b"correct horse batt",
        console_id=0xA0A2A3A4,
        managed_id=0x177219D3,
        console_random=bytes(range(0x10)),
        managed_random=bytes(range(0xF0, 0x100)),
        guid=bytes(range(0x10, 0x20)),
        role=0x14,
        name=b"root",
    )


@pytest.mark.parametrize("suite", CIPHER_SUITES, ids=lambda suite: f"suite {suite.number}")
def test_the_digests_of_a_login(suite):
    login, vector = exchange(suite), VECTORS[suite.number]
    assert login.rakp_2_code().hex() == vector["rakp_2"]
    assert login.rakp_3_code().hex() == vector["rakp_3"]
    assert login.session_integrity_key().hex() == vector["session_integrity_key"]
    assert login.rakp_4_code().hex() == vector["rakp_4"]


@pytest.mark.parametrize("suite", CIPHER_SUITES, ids=lambda suite: f"suite {suite.number}")
def test_a_protected_packet(suite):
    keys = SessionKeys(suite, exchange(suite).session_integrity_key())
    request = Request(responder=0x20, requester=0x81, net_fn=6, command=1, sequence=1).encode()
    packet = Packet(
        payload=keys.encrypt(request, bytes(range(0x50, 0x60))), session=0x177219D3, sequence=1, protected=True
    )
    datagram = write_protected(packet, keys.integrity_code(covered(packet)))
    assert datagram.hex() == "0600ff07" + VECTORS[suite.number]["packet"]
    taken = read(datagram)
    assert keys.vouches_for(taken.octets)
    assert keys.decrypt(taken.payload) == request
