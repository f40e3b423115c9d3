"""Certificates and the list of those that count no more (RFC 5280): what is made of them, and what is read.

The one file that knows cryptography's x509. What a peer shows over TLS is not parsed here: OpenSSL does that, and
checks it first.
"""

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from media_network.identity.identity import BadIdentity, Identity

PEM_BYTES_MAX = 1024 * 1024
"""A list of revoked certificates: 40 bytes each."""
AUTHORITY_LIVES = timedelta(days=3650)
_CLOCKS_DIFFER = timedelta(hours=1)
"""A certificate begins so long before it is made: clocks of blades are set after they start."""
_LIST_LIVES = timedelta(days=3650)
"""Who keeps a list asks for no newer one: it counts until there is another."""
_SHA256 = hashes.SHA256()


class BadCertificate(ValueError):
    """What should be a certificate, a key, or a list of certificates is none, or is not what it should be."""


class Shown(NamedTuple):
    """What a certificate says."""

    identity: Identity
    serial: int
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class Authority:
    """Who says who is who in a trust domain."""

    trust_domain: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def found(cls, trust_domain: str, now: datetime) -> "Authority":
        """A new one. Raises BadIdentity: that is no trust domain."""
        Identity.named(trust_domain, "headquarters")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of {trust_domain}"[:64])])
        usage = _usage(certificates=True)
        builder = (
            _begun(name, name, key.public_key(), now, now + AUTHORITY_LIVES)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectAlternativeName([_uri(f"spiffe://{trust_domain}")]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(trust_domain, builder.sign(key, _SHA256), key)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes) -> "Authority":
        """What was kept. Raises BadCertificate."""
        certificate = _certificate(certificate_pem)
        try:
            key = load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError) as error:
            raise BadCertificate("the authority's key cannot be read") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise BadCertificate("the authority's key is not its certificate's")
        domain = next((uri.removeprefix("spiffe://") for uri in _uris(certificate)), "")
        return cls(domain, certificate, key)

    @property
    def certificate_pem(self) -> bytes:
        """For everybody."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """For nobody."""
        return _key_pem(self.key)

    def issue(self, identity: Identity, hosts: Iterable[str], now: datetime, lives: timedelta) -> bytes:
        """A new key with its certificate (PEM): of whoever is reached at these IP addresses. Raises BadCertificate."""
        if identity.trust_domain != self.trust_domain:
            raise BadCertificate(f"{identity.uri} is of another trust domain than {self.trust_domain}")
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [_uri(identity.uri), *(_ip(host) for host in hosts)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.path[-64:])])
        builder = (
            _begun(subject, self.certificate.subject, key.public_key(), now, now + lives)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        return _key_pem(key) + builder.sign(self.key, _SHA256).public_bytes(Encoding.PEM)

    def has_signed(self, pem: bytes) -> bool:
        """Whether a certificate (PEM) is one of its. Raises BadCertificate: it is none."""
        try:
            _certificate(pem).verify_directly_issued_by(self.certificate)
        except (InvalidSignature, TypeError, ValueError):
            return False
        return True

    def revoke(self, serials: Collection[int], now: datetime) -> bytes:
        """The list (PEM) of all certificates that count no more."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(now + _LIST_LIVES)
        )
        for serial in sorted(serials):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, _SHA256).public_bytes(Encoding.PEM)


def read_certificate(pem: bytes) -> Shown:
    """What the first certificate of a file says. Raises BadCertificate."""
    certificate = _certificate(pem)
    try:
        (uri,) = _uris(certificate)
        identity = Identity.parse(uri)
    except BadIdentity as error:
        raise BadCertificate(str(error)) from error
    except ValueError:
        raise BadCertificate("the certificate has no SPIFFE id, or more than one") from None
    return Shown(identity, certificate.serial_number, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def public_part(pem: bytes) -> bytes:
    """The certificate of a file that has the key, too. Raises BadCertificate."""
    return _certificate(pem).public_bytes(Encoding.PEM)


def hosts_of(pem: bytes) -> tuple[str, ...]:
    """The IP addresses that a certificate is for. Raises BadCertificate."""
    return tuple(str(host) for host in _names(_certificate(pem)).get_values_for_type(x509.IPAddress))


def read_revoked(list_pem: bytes, authority_pem: bytes) -> frozenset[int]:
    """Serial numbers of the certificates that count no more, as one of the authorities has signed them.

    Raises BadCertificate: it is no such list, or none of them has signed it.
    """
    if len(list_pem) > PEM_BYTES_MAX:
        raise BadCertificate(f"the list of revoked certificates has more than {PEM_BYTES_MAX} bytes")
    try:
        known = x509.load_pem_x509_crl(list_pem)
        authorities = x509.load_pem_x509_certificates(authority_pem)
    except ValueError as error:
        raise BadCertificate("the list of revoked certificates cannot be read") from error
    if not any(known.issuer == one.subject and _has_signed(one, known) for one in authorities):
        raise BadCertificate("the authority has not signed the list of revoked certificates")
    return frozenset(entry.serial_number for entry in known)


def _has_signed(authority: x509.Certificate, known: x509.CertificateRevocationList) -> bool:
    try:
        return known.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    except (InvalidSignature, TypeError, ValueError):
        return False


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise BadCertificate("the certificate cannot be read") from error


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise BadCertificate("the certificate names nobody") from error


def _uris(certificate: x509.Certificate) -> list[str]:
    return _names(certificate).get_values_for_type(x509.UniformResourceIdentifier)


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def _ip(host: str) -> x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError as error:
        raise BadCertificate(f"{host[:80]!r} is no IP address") from error


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(until)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    """An authority signs certificates and lists, and whoever it signs for signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def utc_now() -> datetime:
    """Now, as certificates count."""
    return datetime.now(UTC)
