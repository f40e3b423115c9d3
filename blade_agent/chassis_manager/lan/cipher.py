"""Cipher suites 3 and 17: keyed digests, and a session's keys (IPMI 2.0, 13.28, 13.31, 13.32)."""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from msgspec import Struct

BLOCK_BYTES = 16
_CONSTANT_BYTES = 20


class CipherSuite(Struct, frozen=True, kw_only=True):
    """A set of algorithms by their numbers on the wire (IPMI 2.0, tables 13-17 to 13-19, 22-20)."""

    number: int
    authentication: int
    integrity: int
    confidentiality: int = 1
    """AES-CBC-128."""
    digest: str
    code_bytes: int
    """Length of an integrity code: the digest, cut."""

    def keyed_digest(self, key: bytes, octets: bytes) -> bytes:
        """Give the whole keyed digest (HMAC)."""
        return hmac.digest(key, octets, self.digest)

    @property
    def record(self) -> bytes:
        """The suite as Get Channel Cipher Suites lists it (IPMI 2.0, table 22-19)."""
        return bytes((0xC0, self.number, self.authentication, 0x40 | self.integrity, 0x80 | self.confidentiality))


CIPHER_SUITES = (
    CipherSuite(number=3, authentication=1, integrity=1, digest="sha1", code_bytes=12),
    CipherSuite(number=17, authentication=3, integrity=4, digest="sha256", code_bytes=16),
)


class Undecipherable(Exception):
    """Octets that were not made with this key, or not as they have to be."""


class SessionKeys:
    """What protects the packets of one session."""

    def __init__(self, suite: CipherSuite, session_integrity_key: bytes) -> None:
        self._suite = suite
        self._integrity_key = suite.keyed_digest(session_integrity_key, b"\x01" * _CONSTANT_BYTES)
        self._cipher_key = suite.keyed_digest(session_integrity_key, b"\x02" * _CONSTANT_BYTES)[:BLOCK_BYTES]

    @property
    def code_bytes(self) -> int:
        """Length of an integrity code."""
        return self._suite.code_bytes

    def integrity_code(self, octets: bytes) -> bytes:
        """Give the code that goes behind these octets."""
        return self._suite.keyed_digest(self._integrity_key, octets)[: self.code_bytes]

    def vouches_for(self, octets: bytes) -> bool:
        """Tell whether these octets end in the integrity code of what is before it."""
        return hmac.compare_digest(self.integrity_code(octets[: -self.code_bytes]), octets[-self.code_bytes :])

    def encrypt(self, payload: bytes, initialization_vector: bytes) -> bytes:
        """Give initialization vector and encrypted payload, padded with 01h, 02h, ... and the number of these."""
        pad_bytes = -(len(payload) + 1) % BLOCK_BYTES
        padded = payload + bytes(range(1, pad_bytes + 1)) + bytes([pad_bytes])
        encryptor = Cipher(AES(self._cipher_key), CBC(initialization_vector)).encryptor()
        return initialization_vector + encryptor.update(padded) + encryptor.finalize()

    def decrypt(self, octets: bytes) -> bytes:
        """Give the payload. Authenticate the octets before.

        Raises Undecipherable: no whole blocks, or the padding is not as it has to be.
        """
        if len(octets) < 2 * BLOCK_BYTES or len(octets) % BLOCK_BYTES:
            raise Undecipherable
        decryptor = Cipher(AES(self._cipher_key), CBC(octets[:BLOCK_BYTES])).decryptor()
        padded = decryptor.update(octets[BLOCK_BYTES:]) + decryptor.finalize()
        pad_bytes = padded[-1]
        payload, padding = padded[: -1 - pad_bytes], padded[-1 - pad_bytes : -1]
        if pad_bytes >= BLOCK_BYTES or padding != bytes(range(1, pad_bytes + 1)):
            raise Undecipherable
        return payload
