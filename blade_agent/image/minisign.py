"""Whether a text is what the owner of a key has signed, by minisign's files (jedisct1.github.io/minisign).

A key: a comment, and base64 of `Ed`, eight octets that tell keys apart, and a public key of Ed25519 (RFC 8032).
A signature: a comment; base64 of `ED` (over the text's BLAKE2b-512) or `Ed` (over the text itself), the key's octets,
and the signature; a comment that is trusted; and base64 of the signature over the one before and that comment.
Secret keys are minisign's own: nobody signs here.
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

FILE_BYTES_MAX = 8192
"""Longer ones are not read."""
_HASHED, _WHOLE = b"ED", b"Ed"
_NAME_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "


class SignatureRefused(Exception):
    """Something that its key does not vouch for, or that is no key or signature; `str()` is a clause that says so."""


class ImageKey(Struct, frozen=True):
    """A public key that signs images."""

    name: bytes
    octets: bytes

    @classmethod
    def parse(cls, text: bytes) -> "ImageKey":
        """Read what `minisign -G` has written. Raises SignatureRefused."""
        lines = _lines(text)
        if len(lines) < 2 or not lines[0].startswith(_UNTRUSTED):
            raise SignatureRefused("the key is no public key of minisign")
        _, name, octets = _split(lines[1], _KEY_BYTES, (_WHOLE,), "the key is no public key of minisign")
        return cls(name, octets)

    def check(self, content: bytes, signature: bytes) -> str:
        """Check what `minisign -S` has written; gives the trusted comment. Raises SignatureRefused."""
        damaged = "the signature is none of minisign's"
        lines = _lines(signature)
        if len(lines) != 4 or not (lines[0].startswith(_UNTRUSTED) and lines[2].startswith(_TRUSTED)):
            raise SignatureRefused(damaged)
        kind, name, octets = _split(lines[1], _SIGNATURE_BYTES, (_HASHED, _WHOLE), damaged)
        if name != self.name:
            raise SignatureRefused(f"it was signed with key {_shown(name)}, not with {_shown(self.name)}")
        comment = lines[2].removeprefix(_TRUSTED)
        over_comment = _octets(lines[3], damaged)
        signed = hashlib.blake2b(content).digest() if kind == _HASHED else content
        key = Ed25519PublicKey.from_public_bytes(self.octets)
        try:
            key.verify(octets, signed)
            key.verify(over_comment, octets + comment.encode())
        except InvalidSignature as error:
            raise SignatureRefused("its signature is wrong") from error
        return comment


def _lines(text: bytes) -> list[str]:
    try:
        return text[: FILE_BYTES_MAX + 1].decode().splitlines() if len(text) <= FILE_BYTES_MAX else []
    except UnicodeDecodeError:
        return []


def _split(line: str, length: int, kinds: tuple[bytes, ...], refusal: str) -> tuple[bytes, bytes, bytes]:
    octets = _octets(line, refusal)
    kind, name, rest = octets[:2], octets[2 : 2 + _NAME_BYTES], octets[2 + _NAME_BYTES :]
    if kind not in kinds or len(rest) != length:
        raise SignatureRefused(refusal)
    return kind, name, rest


def _octets(line: str, refusal: str) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused(refusal) from error


def _shown(name: bytes) -> str:
    """As minisign shows it: the last octet first."""
    return name[::-1].hex().upper()
