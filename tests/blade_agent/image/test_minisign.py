"""Signatures: minisign's own, and every way in which one can be wrong."""

import base64
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.image.minisign import FILE_BYTES_MAX, ImageKey, SignatureRefused
from tests.blade_agent.image.images import Signer

CONTENT = b"what was signed\n" * 100
SIGNER = Signer(1)
KEY = ImageKey.parse(SIGNER.public())


@pytest.mark.parametrize("kind", [b"ED", b"Ed"])
def test_both_kinds_are_checked_and_the_comment_is_given(kind):
    assert KEY.check(CONTENT, SIGNER.sign(CONTENT, "of today", kind)) == "of today"


@pytest.mark.parametrize("kind", [b"ED", b"Ed"])
def test_another_content_key_or_comment_is_refused(kind):
    signature = SIGNER.sign(CONTENT, "of today", kind)
    with pytest.raises(SignatureRefused, match="its signature is wrong"):
        KEY.check(CONTENT + b"x", signature)
    with pytest.raises(SignatureRefused, match="its signature is wrong"):
        KEY.check(CONTENT, signature.replace(b"of today", b"of now"))
    with pytest.raises(SignatureRefused, match="with key 0202020202020202, not with 0101010101010101"):
        KEY.check(CONTENT, Signer(2).sign(CONTENT))


def test_a_signature_over_the_content_is_none_over_its_digest():
    signature = SIGNER.sign(CONTENT, kind=b"Ed").splitlines()
    octets = bytearray(base64.b64decode(signature[1]))
    octets[:2] = b"ED"
    signature[1] = base64.b64encode(bytes(octets))
    with pytest.raises(SignatureRefused, match="its signature is wrong"):
        KEY.check(CONTENT, b"\n".join(signature))


def test_another_key_with_the_same_name_is_refused():
    forger = Signer(2)
    forger._name = b"\1" * 8
    with pytest.raises(SignatureRefused, match="its signature is wrong"):
        KEY.check(CONTENT, forger.sign(CONTENT))


def test_every_bit_of_a_signature_counts():
    lines = SIGNER.sign(CONTENT).splitlines()
    for row in (1, 3):
        octets = base64.b64decode(lines[row])
        for at in range(len(octets)):
            changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
            forged = [*lines[:row], base64.b64encode(changed), *lines[row + 1 :]]
            with pytest.raises(SignatureRefused):
                KEY.check(CONTENT, b"\n".join(forged))


SIGNED = SIGNER.sign(CONTENT)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\xff" * 10,
        b"\n".join(SIGNED.splitlines()[:3]),
        SIGNED + b"more\n",
        SIGNED.replace(b"untrusted", b"trusted"),
        SIGNED.replace(b"RUQ", b"R!Q"),
        SIGNED + b" " * FILE_BYTES_MAX,
        SIGNED.replace(SIGNED.splitlines()[1], base64.b64encode(b"ED" + bytes(71))),
        SIGNED.replace(SIGNED.splitlines()[1], base64.b64encode(b"XX" + bytes(72))),
    ],
)
def test_what_is_no_signature(signature):
    with pytest.raises(SignatureRefused, match="the signature is none of minisign's"):
        KEY.check(CONTENT, signature)


@given(st.binary(max_size=300))
def test_octets_of_anybody_are_neither_key_nor_signature(octets):
    with pytest.raises(SignatureRefused):
        ImageKey.parse(octets)
    with pytest.raises(SignatureRefused):
        KEY.check(CONTENT, octets)


@pytest.mark.parametrize("text", [b"untrusted comment: x\nRWQ=\n", SIGNER.public().replace(b"untrusted", b""), SIGNED])
def test_what_is_no_key(text):
    with pytest.raises(SignatureRefused, match="no public key of minisign"):
        ImageKey.parse(text)


@pytest.mark.peer("minisign")
@pytest.mark.parametrize("legacy", [(), ("-l",)])
def test_what_minisign_signs_is_taken(tmp_path, legacy):
    def minisign(*words):
        subprocess.run(["minisign", *words], cwd=tmp_path, capture_output=True, check=True, timeout=60)

    (tmp_path / "content").write_bytes(CONTENT)
    minisign("-G", "-W", "-p", "image.pub", "-s", "image.key")
    minisign("-S", *legacy, "-s", "image.key", "-m", "content", "-t", "release 0.2.0")
    key = ImageKey.parse((tmp_path / "image.pub").read_bytes())
    signature = (tmp_path / "content.minisig").read_bytes()
    assert key.check(CONTENT, signature) == "release 0.2.0"
    with pytest.raises(SignatureRefused, match="its signature is wrong"):
        key.check(CONTENT[:-1], signature)


@pytest.mark.peer("minisign")
def test_minisign_takes_what_the_tests_sign(tmp_path):
    """So that tests without it are about the same files."""
    for name, octets in (("content", CONTENT), ("content.minisig", SIGNED), ("image.pub", SIGNER.public())):
        (tmp_path / name).write_bytes(octets)
    command = ["minisign", "-V", "-p", "image.pub", "-m", "content"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 0, finished.stderr
    assert "a test's" in finished.stdout
