"""The agent on a socket, as net-snmp's tools and pysnmp see it; and who it is when it comes back."""

import asyncio
import errno
import json
import os
import random
import socket

import msgspec
import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_walk_cmd,
    get_cmd,
    set_cmd,
    usmAesCfb128Protocol,
    usmHMAC128SHA224AuthProtocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMAC256SHA384AuthProtocol,
    usmHMAC384SHA512AuthProtocol,
    usmHMACSHAAuthProtocol,
    usmNoPrivProtocol,
)
from pysnmp.proto.rfc1902 import Null, OctetString

from media_network.durable_file import DurableFile
from media_network.snmp.engine_file import FILE_NAME, start_engine
from media_network.snmp.index import Index
from media_network.snmp.pdu import PduType
from media_network.snmp.service import serve_snmp
from media_network.snmp.usm import MAX_BOOTS, EngineIdentity
from media_network.snmp.value import ErrorStatus
from tests.damages import DAMAGES
from tests.media_network.snmp.specimen import (
    BASE,
    LEVEL,
    NAME,
    SETTINGS,
    USERS,
    Manager,
    Specimen,
    community_message,
    request,
    secure_options,
    served,
    tool,
)
from tests.patience import PATIENCE_S

PYSNMP_AUTH = {
    "SHA-1": usmHMACSHAAuthProtocol,
    "SHA-224": usmHMAC128SHA224AuthProtocol,
    "SHA-256": usmHMAC192SHA256AuthProtocol,
    "SHA-384": usmHMAC256SHA384AuthProtocol,
    "SHA-512": usmHMAC384SHA512AuthProtocol,
}


def dotted(name):
    return "." + ".".join(map(str, name))


def specimen_names():
    """All names of the specimen, in order, as our engine without a socket tells them; `test_oracle` judges it."""
    manager, names, name = Manager(), [], BASE
    while True:
        ((name, tag, _),) = manager.community("reader", request(PduType.GET_NEXT, name))[2]
        if tag == 0x82:
            return names
        names.append(name)


@pytest.mark.peer("snmpget", "snmpgetnext", "snmpwalk", "snmpbulkwalk", "snmpset")
def test_net_snmp_reads_walks_and_sets_in_v2c_and_v3(tmp_path):
    async def story():
        specimen = Specimen()
        async with served(tmp_path, specimen) as service:
            names = [dotted(name) for name in specimen_names()]
            users = [user for user in USERS if user.group == "read-write"]
            for who in (["-v2c", "-c", "writer"], *map(secure_options, users)):
                at = [*who, "-On", service.address]
                for walk in (["snmpwalk"], ["snmpbulkwalk", "-Cr25"], ["snmpbulkwalk", "-Cr3"]):
                    code, output = await tool(*walk, *at, dotted(BASE))
                    assert code == 0
                    lines = [line.split(" = ") for line in output.splitlines()]
                    assert [name for name, value in lines if not value.startswith("No more variables")] == names
                code, output = await tool("snmpget", *at, dotted((*LEVEL, 0)), dotted((*LEVEL, 1)), dotted((*BASE, 9)))
                assert code == 0
                assert "INTEGER: 5" in output
                assert "No Such Instance" in output
                assert "No Such Object" in output
                code, output = await tool("snmpgetnext", *at, dotted(LEVEL))
                assert (code, output) == (0, f"{dotted((*LEVEL, 0))} = INTEGER: 5\n")
                for value, reason in (("s", "wrongType"), ("i", "wrongValue")):
                    code, output = await tool("snmpset", *at, dotted((*LEVEL, 0)), value, "77")
                    assert code != 0
                    assert reason in output
                pair = [dotted((*LEVEL, 0)), "i", "7", dotted((*NAME, 0)), "s", "there"]
                assert (await tool("snmpset", *at, *pair))[0] == 0
                assert (specimen.level, specimen.name) == (7, "there")
                specimen.level = 5

    asyncio.run(story())


@pytest.mark.peer("snmpget")
def test_net_snmp_is_told_what_is_wrong_with_it(tmp_path):
    async def story():
        async with served(tmp_path) as service:
            user = USERS[0]
            cases = [
                (["-A", "authentication-2"], "Authentication failure"),
                (["-X", "encryption-2"], "Decryption error"),
                (["-u", "nobody"], "Unknown user name"),
                (["-n", "nowhere"], "Bad context"),
                (["-l", "authNoPriv"], "authorizationError"),
                (["-l", "noAuthNoPriv"], "authorizationError"),
                (["-n", "blade3"], "blade 3"),
            ]
            for options, said in cases:
                arguments = [*secure_options(user), *options, "-r0", "-t2", service.address, dotted((*NAME, 0))]
                code, output = await tool("snmpget", *arguments)
                assert said in output, options
                assert (code == 0) is (said == "blade 3")
            code, output = await tool("snmpget", "-v2c", "-c", "public", "-r0", "-t0.2", service.address, "1.3.6.1")
            assert "Timeout" in output
            assert service.engine.counters.in_bad_community_names == 1
            code, output = await tool("snmpget", "-v1", "-c", "reader", "-r0", "-t0.2", service.address, "1.3.6.1")
            assert "Timeout" in output
            assert service.engine.counters.in_bad_versions == 1

    asyncio.run(story())


def test_pysnmp_reads_walks_and_sets_with_every_combination(tmp_path):
    async def story():
        specimen = Specimen()
        async with served(tmp_path, specimen) as service:
            manager = SnmpEngine()
            target = await UdpTransportTarget.create(tuple(service.address), timeout=5, retries=0)
            names = specimen_names()
            for user in USERS:
                who = (manager, pysnmp_user(user), target)
                answer = await get_cmd(*who, ContextData(), asked((*NAME, 0)), lookupMib=False)
                assert [str(value) for _, value in found(answer)] == [specimen.name]
                answer = await get_cmd(*who, ContextData(contextName=b"blade3"), asked((*NAME, 0)), lookupMib=False)
                assert [str(value) for _, value in found(answer)] == ["blade 3"]
                answer = await set_cmd(*who, ContextData(), asked((*NAME, 0), OctetString(user.user)), lookupMib=False)
                assert int(answer[1]) == (0 if user.group == "read-write" else ErrorStatus.AUTHORIZATION_ERROR)
                assert (specimen.name == user.user) is (user.group == "read-write")
            walk = bulk_walk_cmd(
                manager,
                pysnmp_user(USERS[0]),
                target,
                ContextData(),
                0,
                10,
                asked(BASE),
                lexicographicMode=False,
                lookupMib=False,
            )
            walked = [tuple(name) for answer in [answer async for answer in walk] for name, _ in found(answer)]
            assert walked == names
            manager.close_dispatcher()

    asyncio.run(story())


def pysnmp_user(user):
    return UsmUserData(
        user.user,
        user.auth_password,
        user.priv_password or None,
        authProtocol=PYSNMP_AUTH[user.auth_protocol],
        privProtocol=usmNoPrivProtocol if user.priv_protocol == "none" else usmAesCfb128Protocol,
    )


def asked(name, value=None):
    return ObjectType(ObjectIdentity(name), value or Null(""))


def found(answer):
    error, status, _, bindings = answer
    assert error is None
    assert not status
    return bindings


def test_a_burst_of_requests_is_answered_and_noise_between_does_not_disturb(tmp_path):
    async def story():
        loop = asyncio.get_running_loop()
        async with served(tmp_path) as service:
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(tuple(service.address))
                for number in range(200):
                    pdu = request(PduType.GET, (*NAME, 0), request_id=number)
                    sock.send(community_message("reader", pdu))
                    sock.send(b"\x30\x80" + bytes(number))
                async with asyncio.timeout(PATIENCE_S):
                    answers = [await loop.sock_recv(sock, 65_536) for _ in range(200)]
        assert len(set(answers)) == 200
        assert service.engine.counters.in_asn_parse_errors == 200

    asyncio.run(story())


def test_managers_that_have_gone_are_survived(tmp_path):
    async def story():
        loop = asyncio.get_running_loop()
        message = community_message("reader", request(PduType.GET, (*NAME, 0)))
        async with served(tmp_path) as service:
            for _ in range(20):
                with socket.socket(type=socket.SOCK_DGRAM) as gone:
                    gone.sendto(message, tuple(service.address))
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(tuple(service.address))
                sock.send(message)
                async with asyncio.timeout(PATIENCE_S):
                    assert await loop.sock_recv(sock, 65_536)
        assert service.engine.counters.out_packets == 21

    asyncio.run(story())


def test_a_socket_that_was_bound_by_others_is_used(tmp_path):
    async def story():
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        bound = sock.getsockname()
        async with serve_snmp(SETTINGS, Index(), tmp_path, rng=random.Random(1), sock=sock) as service:
            assert tuple(service.address) == bound
        assert sock.fileno() == -1

    asyncio.run(story())


def test_a_manager_that_knew_the_agent_finds_it_again_after_its_restart(tmp_path, free_port):
    async def story():
        settings = msgspec.structs.replace(SETTINGS, port=free_port())
        manager = SnmpEngine()
        target = await UdpTransportTarget.create(("127.0.0.1", settings.port), timeout=5, retries=1)
        seen = []
        for _ in range(3):
            async with served(tmp_path, settings=settings) as service:
                for _ in range(2):
                    answer = await get_cmd(
                        manager, pysnmp_user(USERS[0]), target, ContextData(), asked((*NAME, 0)), lookupMib=False
                    )
                    seen.append(answer[0] is None)
                identity = service.engine.security.identity
                assert service.engine.counters.unknown_engine_ids <= 1
        assert identity.boots == 3
        assert seen[1::2] == [True] * 3
        manager.close_dispatcher()

    asyncio.run(story())


def test_an_engine_keeps_its_id_and_counts_its_starts(tmp_path):
    state = tmp_path / "state" / "snmp"
    starts = [start_engine(state, random.Random(number)) for number in range(3)]
    assert [start.boots for start in starts] == [1, 2, 3]
    assert len({start.engine_id for start in starts}) == 1
    # RFC 3411, SnmpEngineID: the first bit is set, then an enterprise number and a format.
    assert starts[0].engine_id[:5] == bytes.fromhex("80001f8805")
    assert len(starts[0].engine_id) == 17


def test_no_two_engines_have_one_id(tmp_path):
    rng = random.SystemRandom()
    assert len({start_engine(tmp_path / str(number), rng).engine_id for number in range(50)}) == 50


def test_a_start_that_was_cut_short_is_not_counted_twice_nor_forgotten(tmp_path):
    first = start_engine(tmp_path, random.Random(1))
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b'{"engine_id": "80')
    again = start_engine(tmp_path, random.Random(2))
    assert (again.engine_id, again.boots) == (first.engine_id, 2)


def test_starts_are_counted_up_to_their_most(tmp_path):
    keep_engine(tmp_path, json.dumps({"engine_id": "80001f880401020304", "boots": MAX_BOOTS - 1}).encode())
    assert [start_engine(tmp_path, random.Random(1)).boots for _ in range(3)] == [MAX_BOOTS] * 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b'{"engine_id": "80001f880401", "boots": 0}',
        b'{"engine_id": "80001f880401", "boots": 2147483648}',
        b'{"engine_id": "80001f880401", "boots": "1"}',
        b'{"engine_id": "8000", "boots": 1}',
        b'{"engine_id": "not hexadecimal", "boots": 1}',
        b'{"engine_id": "' + b"80" * 33 + b'", "boots": 1}',
        b'{"engine_id": "80001f880401", "boots": 1, "more": 1}',
        b"\xff\xfe",
    ],
)
def test_what_names_no_engine_is_set_aside_and_a_new_one_starts(tmp_path, content):
    keep_engine(tmp_path, content)
    assert start_engine(tmp_path, random.Random(1)).boots == 1
    assert start_engine(tmp_path, random.Random(2)).boots == 2
    assert content in (tmp_path / f"{FILE_NAME}.damaged-1").read_bytes()


def test_an_engine_that_cannot_keep_its_start_is_a_new_one_until_it_can(tmp_path, monkeypatch, caplog):
    """A full disk is when managers have to be answered; the engine of before must not count a start back."""
    first = start_engine(tmp_path, random.Random(1))
    with monkeypatch.context() as full:
        full.setattr(DurableFile, "keep", refuse)
        meanwhile = [start_engine(tmp_path, random.Random(number)) for number in (2, 3)]
    assert len({start.engine_id for start in (first, *meanwhile)}) == 3
    assert [start.boots for start in meanwhile] == [1, 1]
    assert "no space left on device; managers have to do with a new engine" in caplog.text
    assert start_engine(tmp_path, random.Random(4)) == EngineIdentity(first.engine_id, 2)


def refuse(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_engine_counts_the_start_that_is_lost_with_a_damaged_file(tmp_path, damage):
    """Its boots never go back (RFC 3414, 2.2): messages of before must not be good once more."""
    starts = [start_engine(tmp_path, random.Random(1)) for _ in range(3)]
    damage(tmp_path / FILE_NAME)
    again = start_engine(tmp_path, random.Random(1))
    assert (again.engine_id, again.boots) == (starts[0].engine_id, 4)


def keep_engine(folder, content):
    DurableFile(folder / FILE_NAME, bytes, rebuilt="").keep(content)


def test_an_engine_whose_starts_cannot_be_kept_opens_its_socket_all_the_same(tmp_path, free_port, monkeypatch):
    settings = msgspec.structs.replace(SETTINGS, port=free_port())
    (tmp_path / "file").write_bytes(b"")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "no space left")

    async def story(state):
        async with served(state, settings=settings) as service:
            assert service.address.port == settings.port

    asyncio.run(story(tmp_path / "file" / "state"))
    monkeypatch.setattr(os, "fsync", full)
    asyncio.run(story(tmp_path / "state"))
    assert not (tmp_path / "state" / FILE_NAME).exists()
