"""AES-128 in CFB mode with a feedback of 128 bits (RFC 3826), with objects that serve all messages of a user.

A cipher object for each message costs more than its encryption. CFB hands on nothing but the last encrypted block C,
in the place of a vector, and the next is P ^ E(C). A decryptor therefore is where it has to be after it has been fed
the vector as if it were an encrypted block, and an encryptor once it has been fed the block that it encrypts to the
vector: E(C) ^ vector. What comes out for that block is dropped, and each message is filled up to whole blocks.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # where it is not yet called so
    from cryptography.hazmat.primitives.ciphers.modes import CFB

KEY_OCTETS = 16
_BLOCK_OCTETS = 16


class Aes:
    """The cipher of one user: its key is the beginning of the localized key."""

    def __init__(self, localized_key: bytes) -> None:
        key, zeros = AES(localized_key[:KEY_OCTETS]), bytes(_BLOCK_OCTETS)
        self._blocks = Cipher(key, ECB()).encryptor()  # noqa: S305 - the building block of another mode
        self._encryptor = Cipher(key, CFB(zeros)).encryptor()
        self._decryptor = Cipher(key, CFB(zeros)).decryptor()
        self._last = zeros
        """What the encryptor wrote last."""

    def encrypt(self, octets: bytes, vector: bytes) -> bytes:
        """Encrypt; there is no padding in this mode."""
        size = len(octets)
        ahead = int.from_bytes(self._blocks.update(self._last), "big") ^ int.from_bytes(vector, "big")
        first = ahead.to_bytes(_BLOCK_OCTETS, "big")
        encrypted = self._encryptor.update(first + octets + bytes(-size % _BLOCK_OCTETS))
        self._last = encrypted[-_BLOCK_OCTETS:]
        return encrypted[_BLOCK_OCTETS : _BLOCK_OCTETS + size]

    def decrypt(self, octets: bytes, vector: bytes) -> bytes:
        """Decrypt."""
        size = len(octets)
        plain = self._decryptor.update(vector + octets + bytes(-size % _BLOCK_OCTETS))
        return plain[_BLOCK_OCTETS : _BLOCK_OCTETS + size]
