"""Authentication protocols and keys of the user-based security model (RFC 3414, 2.6 and A.2; RFC 7860)."""

import hashlib
import hmac
from functools import lru_cache

from msgspec import Struct

from media_network.snmp.ber import Oid

MIN_PASSWORD_OCTETS = 8
_EXPANDED_OCTETS = 1 << 20
_INNER_PAD, _OUTER_PAD = 0x36, 0x5C


class AuthProtocol(Struct, frozen=True, kw_only=True):
    """An HMAC protocol: of SHA-2, and of SHA-1 for tools that know no newer one."""

    name: str
    oid: Oid
    digest: str
    """Name of the hash function in hashlib."""
    code_octets: int
    """To how many octets the HMAC is cut."""


_PROTOCOLS = (1, 3, 6, 1, 6, 3, 10, 1)
AUTH_PROTOCOLS = {
    known.name: known
    for known in (
        AuthProtocol(name="SHA-1", oid=(*_PROTOCOLS, 1, 3), digest="sha1", code_octets=12),
        AuthProtocol(name="SHA-224", oid=(*_PROTOCOLS, 1, 4), digest="sha224", code_octets=16),
        AuthProtocol(name="SHA-256", oid=(*_PROTOCOLS, 1, 5), digest="sha256", code_octets=24),
        AuthProtocol(name="SHA-384", oid=(*_PROTOCOLS, 1, 6), digest="sha384", code_octets=32),
        AuthProtocol(name="SHA-512", oid=(*_PROTOCOLS, 1, 7), digest="sha512", code_octets=48),
    )
}
PRIV_PROTOCOLS = {"AES": (*_PROTOCOLS, 2, 4)}
"""usmAesCfb128Protocol."""
NO_PRIV_PROTOCOL = (*_PROTOCOLS, 2, 1)


@lru_cache(maxsize=64)
def password_to_key(digest: str, password: bytes) -> bytes:
    """Digest a password, repeated to one mebioctet (RFC 3414, A.2). Raises ValueError if it is too short."""
    if len(password) < MIN_PASSWORD_OCTETS:
        raise ValueError(f"an SNMP password has {MIN_PASSWORD_OCTETS} or more octets")
    repeated = password * (_EXPANDED_OCTETS // len(password) + 1)
    return hashlib.new(digest, memoryview(repeated)[:_EXPANDED_OCTETS]).digest()


def localized(digest: str, password: bytes, engine_id: bytes) -> bytes:
    """Give the key of a password at one engine (RFC 3414, 2.6)."""
    key = password_to_key(digest, password)
    return hashlib.new(digest, key + engine_id + key).digest()


class Signer:
    """The HMAC of one key. The pads are hashed once: a message then costs what its own octets cost."""

    def __init__(self, protocol: AuthProtocol, localized_key: bytes) -> None:
        block = hashlib.new(protocol.digest).block_size
        padded = localized_key.ljust(block, b"\0")
        self._inner = hashlib.new(protocol.digest, bytes(octet ^ _INNER_PAD for octet in padded))
        self._outer = hashlib.new(protocol.digest, bytes(octet ^ _OUTER_PAD for octet in padded))
        self.code_octets = protocol.code_octets
        self.blank = bytes(protocol.code_octets)
        """What stands in a message in place of the code while the code is computed."""

    def code(self, before: bytes, behind: bytes) -> bytes:
        """Give the authentication code that belongs between two parts of a message."""
        inner = self._inner.copy()
        inner.update(before + self.blank + behind)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[: self.code_octets]

    def verifies(self, octets: bytes, start: int, stop: int) -> bool:
        """Tell whether `octets[start:stop]` is the code of the message around it."""
        if stop - start != self.code_octets:
            return False
        return hmac.compare_digest(self.code(octets[:start], octets[stop:]), octets[start:stop])
