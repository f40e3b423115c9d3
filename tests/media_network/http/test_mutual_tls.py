"""Machines that show each other certificates: who is heard, who is not, what is renewed while connections are open."""

import asyncio
import dataclasses
import random
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from media_network.address import Address
from media_network.http import handshakes
from media_network.http.client import HttpClient
from media_network.http.errors import Unreachable
from media_network.http.gate import ConnectionGate
from media_network.http.handshakes import HANDSHAKES_AT_ONCE, HANDSHAKES_PER_S, HandshakePace
from media_network.http.server import HandlerTable, serve, serve_ports
from media_network.identity.certificates import utc_now
from media_network.identity.credentials import Credentials, CredentialsUnfit
from media_network.messages.verb import Caller, Verb
from media_network.refusal import Reason, Refused
from tests.addresses import free_port
from tests.identities import TestAuthority
from tests.patience import PATIENCE_S

HOST = "127.0.0.1"
_EMPTY = b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"


class Who(Struct):
    pass


class You(Struct):
    who: str


WHO = Verb("test/who", Who, You, "Who am I?", callers=(Caller.DIRECTOR, Caller.CENTER))
BOTH = Verb("test/both", Who, You, "Whoever asks.", callers=(Caller.CONSOLE, Caller.OPERATOR))


@pytest.fixture
def authority(tmp_path):
    return TestAuthority(tmp_path)


def table():
    async def who(_, asker):
        return You(str(asker.peer.identity) if asker.peer else "nobody")

    answers = HandlerTable("test")
    answers.verb_by_asker(WHO, who)
    answers.verb_by_asker(BOTH, who)
    return answers


@asynccontextmanager
async def serving(identification):
    async with serve(table(), Address(HOST, 0), identification=identification) as address:
        yield address


async def ask(address, identification, verb=WHO, **options):
    async with HttpClient(random.Random(1), identification=identification) as http:
        return await http.ask(address, verb, Who(), deadline_s=0.5, while_refused=False, **options)


async def trouble(address, identification):
    with pytest.raises(Unreachable) as unreachable:
        await ask(address, identification)
    return unreachable.value.cause


def test_who_shows_a_certificate_is_known_by_it(authority):
    async def story():
        async with serving(authority.credentials("center/main", HOST)) as address:
            assert await ask(address, authority.credentials("blade/north/2")) == You("blade/north/2")
            refused = await ask(address, authority.credentials("operator/ada"))
            assert refused.reason is Reason.NOT_ALLOWED
            assert refused.detail == "test/who is said by director and center, and not by operator/ada"

    asyncio.run(story())


def test_who_shows_none_that_counts_is_not_heard(authority, tmp_path):
    strange = TestAuthority(tmp_path / "strange")
    expired = {"now": utc_now() - timedelta(days=9), "to": "expired"}
    # Whoever signs himself has the authority's name right, and nothing else.
    impostor = strange.issue("blade/north/2")
    authority.folder.hand_on(Path(impostor.authority).parent)
    late = authority.credentials("blade/north/2", **expired)

    async def story():
        async with serving(authority.credentials("center/main", HOST)) as address:
            assert await trouble(address, None) == "the connection broke"
            assert await trouble(address, Credentials(impostor)) == "the connection broke"
            assert await trouble(address, late) == "the connection broke"
            assert await ask(address, authority.credentials("center/east")) == You("center/east")

    asyncio.run(story())


def test_who_answers_has_to_be_whom_one_asks(authority, tmp_path):
    strange = TestAuthority(tmp_path / "strange")
    asking = authority.credentials("center/main")

    async def story():
        async with serving(authority.credentials("blade/north/3", "127.0.0.3")) as address:
            assert "ip address mismatch" in await trouble(address, asking)
        async with serving(strange.credentials("blade/north/2", HOST)) as address:
            assert (await trouble(address, asking)).startswith("its certificate is not good: ")
        async with serving(None) as address:
            assert await trouble(address, asking) == "it does not speak TLS as we do"

    asyncio.run(story())


def test_one_of_another_trust_domain_is_nobody_whoever_signed_it(authority):
    """An authority that speaks for two domains."""
    first = authority.credentials("center/main", HOST)
    authority.known = dataclasses.replace(authority.known, trust_domain="other.example")
    other = authority.credentials("blade/north/2")
    assert other.own.uri == "spiffe://other.example/blade/north/2"

    async def story():
        async with serving(first) as address:
            # It would not hear the server either: so it is asked by hand.
            context = other.client_context
            reader, writer = await asyncio.open_connection(HOST, address.port, ssl=context, server_hostname=HOST)
            writer.write(b"POST /test/who HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            assert (await reader.readline()).startswith(b"HTTP/1.1 403 ")
            writer.close()
            assert "counts no more" in await trouble(address, other)

    asyncio.run(story())


@pytest.mark.peer("openssl")
@pytest.mark.parametrize(("version", "spoken"), [("-tls1", 0), ("-tls1_1", 0), ("-tls1_2", 1), ("-tls1_3", 1)])
def test_old_tls_is_not_spoken(authority, version, spoken):
    own = authority.issue("blade/north/2")

    async def story():
        async with serving(authority.credentials("center/main", HOST)) as address:
            words = ("-connect", str(address), version, "-cipher", "DEFAULT:@SECLEVEL=0", "-cert", own.credentials)
            told = await asyncio.create_subprocess_exec(
                *("openssl", "s_client", *words, "-key", own.credentials, "-CAfile", own.authority),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await told.communicate()
            assert said.count(b"Verify return code: 0 (ok)\n") >= spoken, said.decode()
            assert (b"Cipher is (NONE)" in said) is not bool(spoken), said.decode()

    asyncio.run(story())


def test_what_is_renewed_counts_for_new_connections_and_breaks_none(authority):
    served, asking = authority.credentials("center/main", HOST), authority.credentials("blade/north/2")

    async def story():
        async with serving(served) as address, HttpClient(random.Random(1), identification=asking) as http:
            assert await http.ask(address, WHO, Who()) == You("blade/north/2")
            (kept,) = {connection for each in http.session.connector._conns.values() for connection, _ in each}
            authority.renew("center/main")
            assert served.refresh()
            assert await http.ask(address, WHO, Who()) == You("blade/north/2")
            assert kept.is_connected()
            before = thumbprint(asking, kept)
            authority.renew("blade/north/2")
            assert asking.refresh()
            assert not asking.refresh()
            assert await http.ask(address, WHO, Who()) == You("blade/north/2")
            anew = {connection for each in http.session.connector._conns.values() for connection, _ in each} - {kept}
            assert len(anew) == 1, "another certificate, another connection"
            assert thumbprint(asking, *anew) != before, "the server's was renewed, too"
            assert kept.is_connected()

    asyncio.run(story())


def thumbprint(identification, connection):
    return identification.peer(connection.transport, HOST).thumbprint


def test_who_is_revoked_is_not_heard_any_more_over_what_is_open_either(authority):
    served, asking = authority.credentials("center/main", HOST), authority.credentials("blade/north/2")

    async def story():
        async with serving(served) as address, HttpClient(random.Random(1), identification=asking) as http:
            assert await http.ask(address, WHO, Who()) == You("blade/north/2")
            authority.revoke("blade/north/2")
            assert served.refresh()
            refused = await http.ask(address, WHO, Who())
            assert refused == Refused(Reason.NOT_ALLOWED, "no certificate that counts in this network was shown")
            assert await ask(address, authority.credentials("blade/north/3")) == You("blade/north/3")
        authority.revoke("center/main")
        async with serving(served) as address:
            asking.refresh()
            assert "counts no more" in await trouble(address, asking)

    asyncio.run(story())


def test_who_expires_is_not_heard_any_more_over_what_is_open_either(authority):
    clock = [utc_now().timestamp()]
    served = Credentials(authority.issue("center/main", HOST), lambda: clock[0])
    asking = authority.credentials("blade/north/2", lives=timedelta(hours=1))

    async def story():
        async with serving(served) as address, HttpClient(random.Random(1), identification=asking) as http:
            assert await http.ask(address, WHO, Who()) == You("blade/north/2")
            clock[0] += 3601
            assert (await http.ask(address, WHO, Who())).reason is Reason.NOT_ALLOWED

    asyncio.run(story())


def test_consoles_are_served_as_before_at_their_port(authority):
    control, media = Address(HOST, free_port()), Address(HOST, free_port())
    identified = authority.credentials("center/main", HOST)

    async def story():
        async with serve_ports(table(), control=control, media=media, identification=identified):
            assert await ask(media, None, BOTH) == You("nobody")
            assert await ask(control, authority.credentials("operator/ada"), BOTH) == You("operator/ada")
            refused = await ask(control, authority.credentials("blade/north/2"), BOTH)
            assert refused.reason is Reason.NOT_ALLOWED, "a machine says what machines may"

    asyncio.run(story())


@pytest.mark.parametrize("spoilt", ["credentials", "authority", "revoked"])
@pytest.mark.parametrize("octets", [b"", b"nonsense", _EMPTY])
def test_files_that_cannot_be_used_are_named_and_leave_all_as_it_was(authority, caplog, spoilt, octets):
    settings = authority.issue("center/main", HOST)
    served = Credentials(settings)
    path = Path(getattr(settings, spoilt))
    path.write_bytes(octets)
    with pytest.raises(CredentialsUnfit) as unfit:
        Credentials(settings)
    assert str(unfit.value).startswith(f"{path}: ")
    assert not served.refresh()
    assert str(unfit.value) in caplog.text

    async def story():
        async with serving(served) as address:
            assert await ask(address, authority.credentials("blade/north/2")) == You("blade/north/2")

    asyncio.run(story())


def test_a_key_that_is_not_the_certificates_is_refused(authority):
    settings, others = authority.issue("center/main"), authority.issue("center/east")
    path, mark = Path(settings.credentials), "-----BEGIN CERTIFICATE"
    certificate = path.read_text().partition(mark)[2]
    path.write_text(f"{Path(others.credentials).read_text().partition(mark)[0]}{mark}{certificate}")
    with pytest.raises(CredentialsUnfit, match="no private key with its certificate"):
        Credentials(settings)
    path.unlink()
    with pytest.raises(CredentialsUnfit, match="cannot be read"):
        Credentials(settings)


def test_a_connection_counts_before_its_handshake_is_over(authority, monkeypatch):
    """Who opens connections and says nothing loses the first of them, and all of them after a while."""
    monkeypatch.setattr(handshakes, "HANDSHAKE_WITHIN_S", 0.5)
    own = authority.credentials("blade/north/2")

    async def story():
        gate, loop = ConnectionGate(8), asyncio.get_running_loop()
        async with serve(table(), Address(HOST, 0), gate, authority.credentials("center/main", HOST)) as address:
            silent = [await asyncio.open_connection(HOST, address.port) for _ in range(12)]
            began_s = loop.time()
            assert await silent[0][0].read() == b""
            assert loop.time() - began_s < 0.4
            assert gate.shed >= 4
            assert await ask(address, own) == You("blade/north/2")
            for reader, _ in silent:
                assert await reader.read() == b""
            assert 0.3 < loop.time() - began_s < PATIENCE_S
            for _, writer in silent:
                writer.close()
            await asyncio.sleep(0.1)
            assert len(gate) == 0

    asyncio.run(story())


def test_a_host_has_a_rate_of_handshakes_and_others_are_not_kept_waiting():
    pace = HandshakePace()
    waits = [pace.wait_s("a", 100.0) for _ in range(HANDSHAKES_AT_ONCE + 20)]
    assert waits[:HANDSHAKES_AT_ONCE] == [0.0] * HANDSHAKES_AT_ONCE
    assert waits[-1] == pytest.approx(20 / HANDSHAKES_PER_S)
    assert pace.wait_s("b", 100.0) == 0
    assert pace.wait_s("a", 200.0) == 0
    for attempt in range(10_000):
        pace.wait_s("c", 300.0 + attempt / 1000)
    assert pace.wait_s("c", 310.0) is None
    assert pace.wait_s("c", 312.0) is not None, "who has stopped is not kept out for what he was refused"
    for host in range(5000):
        pace.wait_s(str(host), 200.0)
    assert len(pace._free_at) < 2000


def test_what_comes_with_the_end_of_the_handshake_is_heard(authority):
    """A client may send its request in the very packet that ends its handshake."""
    own = authority.credentials("blade/north/2")

    async def story():
        async with serving(authority.credentials("center/main", HOST)) as address:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = own.client_context.wrap_bio(incoming, outgoing, server_hostname=HOST)
            reader, writer = await asyncio.open_connection(HOST, address.port)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(65536))
            tls.write(b"POST /test/who HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            writer.write(outgoing.read())
            said = b""
            while b"north/2" not in said:
                try:
                    said += tls.read(65536)
                except ssl.SSLWantReadError:
                    incoming.write(await reader.read(65536))
            assert said.startswith(b"HTTP/1.1 200 ")
            writer.close()

    asyncio.run(story())
