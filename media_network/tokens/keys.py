"""Keys of an authentication server: each with one algorithm, which no token chooses.

joserfc, and cryptography below it, are known to this file only. Of a stranger's token they get the signature and what
it is of, both as octets of bounded length: they parse nothing of it.
"""

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import default_registry
from msgspec import Struct

TOKEN_CHARS_MAX = 2048
"""A token travels in a URL, and those of players end at 4096 characters or earlier."""
JWKS_BYTES_MAX = 16 * 1024
KEYS_MAX = 16
KID_CHARS_MAX = 64


class Algorithm(StrEnum):
    """How a key signs (RFC 9864, RFC 7518)."""

    ED25519 = "Ed25519"
    ES256 = "ES256"
    """For verifiers of others that know no Ed25519."""


_CURVES = {Algorithm.ED25519: ("OKP", "Ed25519"), Algorithm.ES256: ("EC", "P-256")}
_SIGNING = {algorithm: default_registry.algorithms[algorithm.value] for algorithm in Algorithm}

_SEED_BYTES = 32
_PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before a seed in a key as PKCS #8 has it (RFC 8410, 7)."""
_PEM = b"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"


class KeysUnreadable(ValueError):
    """What should be a JWKS is none, or too much."""


class PublicJwk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key as a JWKS has it (RFC 7517)."""

    kty: str
    kid: str
    crv: str = ""
    x: str = ""
    y: str = ""
    alg: str = ""
    use: str = "sig"


class _Jwks(Struct, frozen=True):
    keys: tuple[PublicJwk, ...]


class VerifyingKey:
    """A public key."""

    def __init__(self, jwk: PublicJwk) -> None:
        """Raises KeysUnreadable: it is no key of an algorithm that is known here."""
        self.kid = jwk.kid
        self.jwk = jwk
        try:
            self.algorithm = Algorithm(jwk.alg)
        except ValueError:
            raise KeysUnreadable(f"key {jwk.kid[:KID_CHARS_MAX]!r} is for no algorithm that is known here") from None
        if (jwk.kty, jwk.crv) != _CURVES[self.algorithm] or not 0 < len(jwk.kid) <= KID_CHARS_MAX:
            raise KeysUnreadable(f"key {jwk.kid[:KID_CHARS_MAX]!r} is not one of {self.algorithm}")
        self._key = _imported(
            self.algorithm, {"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x} | ({"y": jwk.y} if jwk.y else {})
        )

    def has_signed(self, octets: bytes, signature: bytes) -> bool:
        """Whether a signature is of this key, and of these octets."""
        try:
            return _SIGNING[self.algorithm].verify(octets, signature, self._key)
        except (JoseError, ValueError):
            return False


class SigningKey:
    """A key with its secret half."""

    def __init__(self, kid: str, algorithm: Algorithm, key: OKPKey | ECKey) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self._key = key

    @classmethod
    def generate(cls, algorithm: Algorithm) -> "SigningKey":
        """Make a new one, named by its thumbprint (RFC 7638)."""
        made = OKPKey.generate_key("Ed25519") if algorithm is Algorithm.ED25519 else ECKey.generate_key("P-256")
        return cls(made.thumbprint(), algorithm, made)

    @classmethod
    def of_seed(cls, seed: bytes) -> "SigningKey":
        """The Ed25519 key that follows from 32 octets (RFC 8032, 5.1.5)."""
        if len(seed) != _SEED_BYTES:
            raise ValueError(f"a seed has {_SEED_BYTES} octets, and not {len(seed)}")
        key = OKPKey.import_key(_PEM % b64encode(_PKCS8_ED25519 + seed))
        return cls(key.thumbprint(), Algorithm.ED25519, key)

    @classmethod
    def load(cls, secret: bytes) -> "SigningKey":
        """Read what `dump` wrote. Raises KeysUnreadable."""
        try:
            known: dict[str, str] = msgspec.json.decode(secret, type=dict[str, str])
            algorithm = Algorithm(known.pop("alg"))
            return cls(known.pop("kid"), algorithm, _imported(algorithm, known))
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise KeysUnreadable("what is kept of a key is damaged") from error

    def dump(self) -> bytes:
        """All of it, the secret too."""
        return msgspec.json.encode({**self._key.as_dict(private=True), "alg": self.algorithm.value, "kid": self.kid})

    def public(self) -> PublicJwk:
        """The half that everybody may know."""
        known: dict[str, Any] = dict(self._key.as_dict(private=False))
        return PublicJwk(
            kty=known["kty"],
            kid=self.kid,
            crv=known["crv"],
            x=known["x"],
            y=known.get("y", ""),
            alg=self.algorithm.value,
        )

    def sign(self, payload: bytes) -> str:
        """A compact JWS (RFC 7515)."""
        header = msgspec.json.encode({"alg": self.algorithm.value, "typ": "JWT", "kid": self.kid})
        signed = f"{base64url(header)}.{base64url(payload)}"
        return f"{signed}.{base64url(_SIGNING[self.algorithm].sign(signed.encode(), self._key))}"


class KeySet:
    """The keys of now, by their names."""

    def __init__(self, keys: Iterable[VerifyingKey] = ()) -> None:
        self._keys = {key.kid: key for key in keys}

    @classmethod
    def of(cls, jwks: Iterable[PublicJwk]) -> "KeySet":
        """Take those that can be used here. Raises KeysUnreadable: there is none."""
        known = tuple(_usable(jwks))
        if not known:
            raise KeysUnreadable("none of its keys can be used here")
        return cls(known)

    @classmethod
    def parse(cls, octets: bytes) -> "KeySet":
        """Read a JWKS (RFC 7517); keys of other kinds are passed over. Raises KeysUnreadable."""
        if len(octets) > JWKS_BYTES_MAX:
            raise KeysUnreadable(f"it has more than {JWKS_BYTES_MAX} bytes")
        try:
            found = msgspec.json.decode(octets, type=_Jwks)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise KeysUnreadable("it is no JWKS") from error
        if len(found.keys) > KEYS_MAX:
            raise KeysUnreadable(f"it has more than {KEYS_MAX} keys")
        return cls.of(found.keys)

    def get(self, kid: str) -> VerifyingKey | None:
        """The key of that name."""
        return self._keys.get(kid)

    def jwks(self) -> bytes:
        """As `parse` reads it."""
        return encode_jwks(key.jwk for key in self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)


def base64url(octets: bytes) -> str:
    """Octets as a JWS has them (RFC 7515, 2)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """What `base64url` wrote. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode_jwks(keys: Iterable[PublicJwk]) -> bytes:
    """A JWKS (RFC 7517)."""
    return msgspec.json.encode(_Jwks(tuple(keys)))


def _usable(jwks: Iterable[PublicJwk]) -> Iterator[VerifyingKey]:
    for jwk in jwks:
        try:
            yield VerifyingKey(jwk)
        except KeysUnreadable:
            continue


def _imported(algorithm: Algorithm, jwk: Mapping[str, str]) -> OKPKey | ECKey:
    """Raises KeysUnreadable."""
    try:
        return OKPKey.import_key(dict(jwk)) if algorithm is Algorithm.ED25519 else ECKey.import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeysUnreadable(f"what is given as a key of {algorithm} is none") from error
