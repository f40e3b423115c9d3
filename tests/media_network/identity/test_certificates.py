"""Certificates by the eyes of OpenSSL's own command, and what is kept of them in an authority's folder."""

import stat
import subprocess
from datetime import timedelta

import pytest

from media_network.identity.authority_folder import AuthorityFolder, AuthorityUnfit
from media_network.identity.certificates import Authority, BadCertificate, read_certificate, read_revoked, utc_now
from media_network.identity.identity import BadIdentity, Identity
from media_network.identity.settings import AUTHORITY, CREDENTIALS, REVOKED
from tests.identities import DOMAIN, TestAuthority


def openssl(*words):
    finished = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture
def authority(tmp_path):
    return TestAuthority(tmp_path)


@pytest.mark.peer("openssl")
def test_openssl_takes_a_certificate_until_it_is_revoked(authority, tmp_path):
    authority.issue("blade/north/2", "127.0.0.2")
    folder = tmp_path / "blade-north-2"
    certificate = folder / CREDENTIALS
    check = ("verify", "-CAfile", folder / AUTHORITY, "-x509_strict", "-crl_check", "-CRLfile", folder / REVOKED)
    assert openssl(*check, "-purpose", "sslserver", "-verify_ip", "127.0.0.2", certificate)[0] == 0
    assert openssl(*check, "-purpose", "sslclient", certificate)[0] == 0
    assert openssl(*check, "-verify_ip", "127.0.0.3", certificate)[0] != 0
    shown = openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName")[1]
    assert f"URI:spiffe://{DOMAIN}/blade/north/2" in shown
    authority.revoke("blade/north/2")
    code, said = openssl(*check, certificate)
    assert code != 0
    assert "revoked" in said


def test_keys_are_their_owners_alone(authority, tmp_path):
    authority.issue("operator/ada")
    secrets = [*tmp_path.glob("**/*.key"), *tmp_path.glob(f"**/{CREDENTIALS}")]
    assert len(secrets) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert not any(b"PRIVATE" in path.read_bytes() for path in tmp_path.glob("**/*.pem") if path.name != CREDENTIALS)


def test_a_party_is_revoked_with_all_its_certificates_and_none_but_its(authority):
    for _ in range(2):
        authority.issue("blade/north/2")
    authority.issue("blade/north/3")
    authority.revoke("blade/north/2")
    assert {(str(one.identity), one.revoked) for one in authority.folder.issued(utc_now())} == {
        ("blade/north/2", True),
        ("blade/north/3", False),
    }
    with pytest.raises(AuthorityUnfit, match="revoked"):
        authority.renew("blade/north/2")
    authority.revoke("blade/north/3")
    revoked = read_revoked(authority.folder.revoked.read_bytes(), authority.folder.certificate.read_bytes())
    assert len(revoked) == 3


def test_what_is_renewed_has_the_same_name_and_addresses_and_another_key(authority, tmp_path):
    authority.issue("blade/north/2", "127.0.0.2")
    before = (tmp_path / "blade-north-2" / CREDENTIALS).read_bytes()
    authority.renew("blade/north/2")
    after = (tmp_path / "blade-north-2" / CREDENTIALS).read_bytes()
    assert read_certificate(after).identity == read_certificate(before).identity
    assert {one.hosts for one in authority.folder.issued(utc_now())} == {("127.0.0.2",)}
    assert before.partition(b"-----END PRIVATE")[0] != after.partition(b"-----END PRIVATE")[0]


def test_certificates_that_have_expired_are_not_kept(authority):
    authority.issue("operator/ada", now=utc_now() - timedelta(days=2))
    assert authority.folder.issued(utc_now()) == ()
    assert list(authority.folder.path.glob("issued/*")) == []


def test_a_list_that_another_authority_has_signed_does_not_count(authority, tmp_path):
    other = TestAuthority(tmp_path / "other")
    with pytest.raises(BadCertificate, match="not signed"):
        read_revoked(other.folder.revoked.read_bytes(), authority.folder.certificate.read_bytes())


@pytest.mark.parametrize("octets", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_none_is_said_to_be_none(authority, octets):
    own = authority.folder.certificate.read_bytes()
    with pytest.raises(BadCertificate):
        read_certificate(octets)
    with pytest.raises(BadCertificate):
        read_revoked(octets, own)
    with pytest.raises(BadCertificate):
        Authority.load(own, octets)


def test_an_authority_is_made_once_and_knows_its_own_domain_only(authority):
    with pytest.raises(AuthorityUnfit, match="already"):
        authority.folder.found(DOMAIN, utc_now())
    with pytest.raises(BadCertificate, match="trust domain"):
        authority.known.issue(Identity.named("other.example", "operator/ada"), (), utc_now(), timedelta(days=1))
    with pytest.raises(BadCertificate, match="IP address"):
        authority.issue("operator/ada", "localhost")
    with pytest.raises(BadIdentity):
        Authority.found("No Domain", utc_now())
    with pytest.raises(AuthorityUnfit, match="no authority"):
        AuthorityFolder(authority.parties / "elsewhere").load()


def test_nothing_is_renewed_that_the_authority_has_not_signed(authority, tmp_path):
    """The folder of a party is its own: it may put there what it likes."""
    authority.issue("blade/north/2", "127.0.0.2")
    (tmp_path / "other").mkdir()
    forger = TestAuthority(tmp_path / "other", DOMAIN)
    forger.issue("operator/root", "127.0.0.9")
    forged = (tmp_path / "other" / "operator-root" / CREDENTIALS).read_bytes()
    (tmp_path / "blade-north-2" / CREDENTIALS).write_bytes(forged)
    with pytest.raises(AuthorityUnfit, match="has not signed"):
        authority.renew("blade/north/2")
    assert {str(one.identity) for one in authority.folder.issued(utc_now())} == {"blade/north/2"}


def test_who_is_revoked_stays_so_when_the_list_is_gone(authority, tmp_path):
    own = authority.credentials("center/main", "127.0.0.1")
    authority.issue("blade/north/2")
    authority.revoke("blade/north/2")
    assert own.refresh()
    revoked = own._revoked
    assert len(revoked) == 1
    (tmp_path / "center-main" / REVOKED).unlink()
    assert not own.refresh()
    assert own._revoked == revoked


@pytest.mark.parametrize("slot", ["07", "0", "-1", "1.0", "99999"])
def test_a_slot_has_one_name(authority, slot):
    with pytest.raises(BadIdentity):
        authority.issue(f"blade/north/{slot}")
