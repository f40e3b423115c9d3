"""AES-128 in CFB mode with a feedback of 128 bits (RFC 3826), built on CBC and ECB.

A cipher object for each message costs more than its encryption. In CFB the key stream is O1 = E(IV), O2 = E(P1 ^ O1),
O3 = E(P2 ^ O2), ..., and a message is encrypted to P1 ^ O1, P2 ^ O2, ...: the stream is what CBC makes, from a vector
of zeros, of IV, P1, P2, .... One CBC object therefore serves all messages of a user, if what it has chained so far is
taken out of the first block; and to decrypt, ECB of IV and the encrypted blocks is enough.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

KEY_OCTETS = 16
_BLOCK_OCTETS = 16
_BLOCK = (1 << 128) - 1


class Aes:
    """The cipher of one user: its key is the beginning of the localized key."""

    def __init__(self, localized_key: bytes) -> None:
        key = AES(localized_key[:KEY_OCTETS])
        self._chain = Cipher(key, CBC(bytes(_BLOCK_OCTETS))).encryptor()
        self._chained = 0
        self._blocks = Cipher(key, ECB()).encryptor()  # noqa: S305 - the building block of another mode

    def encrypt(self, octets: bytes, vector: bytes) -> bytes:
        """Encrypt; there is no padding in this mode."""
        size = len(octets)
        if not size:
            return b""
        first = (int.from_bytes(vector, "big") ^ self._chained).to_bytes(_BLOCK_OCTETS, "big")
        stop = -(-size // _BLOCK_OCTETS) * _BLOCK_OCTETS
        stream = int.from_bytes(self._chain.update((first + octets)[:stop]), "big")
        self._chained = stream & _BLOCK
        return (int.from_bytes(octets, "big") ^ stream >> 8 * (stop - size)).to_bytes(size, "big")

    def decrypt(self, octets: bytes, vector: bytes) -> bytes:
        """Decrypt."""
        size = len(octets)
        stop = -(-size // _BLOCK_OCTETS) * _BLOCK_OCTETS
        stream = int.from_bytes(self._blocks.update((vector + octets)[:stop]), "big")
        return (int.from_bytes(octets, "big") ^ stream >> 8 * (stop - size)).to_bytes(size, "big")
