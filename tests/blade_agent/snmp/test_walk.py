"""Walks with net-snmp's tools of all that a blade and a chassis manager show, and what can be set."""

import asyncio
import re

import pytest
from msgspec.structs import replace

from blade_agent.main_board.engine.engine_figures import ChannelCounters
from media_network.snmp.settings import UserSettings
from tests.blade_agent.snmp.agents import READER, WRITER, Orders, blade_agent, manager_agent, run
from tests.blade_agent.snmp.pictures import CHANNELS, ENGINE, MAIN_BOARD, blade, chassis, empty, figures
from tests.mib_facts import MIBS, SMI
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.peer("snmpwalk", "snmpbulkwalk", "snmpset", "snmpget")

EVERYTHING = ".1.3"
OURS = "1.3.6.1.4.1.8072.9999.9999.1"
ADMIN_STATE, IDENTIFY = f"{OURS}.1.1.1.3.1.1.5", f"{OURS}.1.1.1.3.1.1.6"


def by_user(user, *more):
    return (
        *("-v3", "-l", "authPriv", "-u", user.user, "-a", "SHA-256", "-A", user.auth_password),
        *("-x", "AES", "-X", user.priv_password, "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-t5", *more),
    )


def instances(written):
    lines = (line for line in written.splitlines() if line.startswith(".1.") and "No more variables" not in line)
    return [line.split(" = ")[0] for line in lines]


def there(context):
    """The instances that have a value now."""
    return {(known.oid, index) for known in context.objects for index, row in known.rows if known.read(row) is not None}


async def walked(agent, *command):
    """What a walk wrote, and how many instances there were, before it and after it.

    An interface, an address or a disk of the machine may come or go meanwhile, in other tests too: then it is repeated.
    """
    context = agent.index.contexts[b""]
    async with asyncio.timeout(PATIENCE_S):
        while True:
            before = there(context)
            written = await run(*command, "-On", agent.service.address, EVERYTHING)
            if there(context) == before:
                return written, len(before)


@pytest.mark.parametrize("tool", ["snmpwalk", "snmpbulkwalk"])
@pytest.mark.parametrize("way", ["v3", "v2c"])
def test_a_walk_of_a_blade_finds_every_object(folder, tool, way):
    async def story():
        async with blade_agent(folder) as agent:
            how = by_user(READER) if way == "v3" else ("-v2c", "-c", "open", "-t5", "-m", "")
            # The first who asks has tables read, which on a busy machine are there after he has passed them.
            await run(tool, *how, "-On", agent.service.address, EVERYTHING)
            return await walked(agent, tool, *how)

    written, count = asyncio.run(story())
    assert "Error" not in written
    found = instances(written)
    assert len(found) == len(set(found)) == count
    assert "not increasing" not in written


PERL = """
use strict;
use Net::SNMP qw(:snmp);
my ($host, $port, $user, $auth, $priv, $context) = @ARGV;
my ($session, $error) = Net::SNMP->session(
    -hostname => $host, -port => $port, -version => 3, -timeout => 5, -retries => 3, -username => $user,
    -authprotocol => "sha", -authpassword => $auth, -privprotocol => "aes", -privpassword => $priv);
defined $session or die "$error\n";
my $next = "1.3";
while (1) {
    my $found = $session->get_bulk_request(
        -maxrepetitions => 20, -varbindlist => [$next], -contextname => $context) or die $session->error() . "\n";
    for my $name (oid_lex_sort(keys %$found)) {
        exit 0 if $found->{$name} eq "endOfMibView";
        print ".$name\n";
        $next = $name;
    }
}
"""
OLD = UserSettings(user="old", auth_protocol="SHA-1", auth_password="sha1-secret", priv_password="sha1-hidden")
"""Perl's Net::SNMP knows no newer protocol."""


@pytest.mark.peer("perl Net::SNMP", "perl Crypt::DES", "perl Crypt::Rijndael")
@pytest.mark.parametrize("kind", ["blade", "manager", "a blade at the manager"])
def test_perls_net_snmp_walks_all_of_it_encrypted(folder, kind):
    async def story():
        made = blade_agent if kind == "blade" else manager_agent
        async with made(folder, users=(OLD,)) as served:
            agent = served if kind == "blade" else served.agent
            context = b"blade2" if kind == "a blade at the manager" else b""
            address = agent.service.address
            how = (OLD.user, OLD.auth_password, OLD.priv_password, context.decode())
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    before = there(agent.index.contexts[context])
                    written = await run("perl", "-e", PERL, address.host, address.port, *how)
                    if there(agent.index.contexts[context]) == before:
                        return written.split(), len(before)

    names, count = asyncio.run(story())
    assert len(names) == len(set(names)) == count, names[-5:]
    assert count > 50
    assert all(name.startswith(".1.") for name in names)


def test_a_chassis_and_each_of_its_blades(folder):
    async def story():
        async with manager_agent(folder) as manager:
            at = manager.agent.service.address
            whole, count = await walked(manager.agent, "snmpbulkwalk", *by_user(READER))
            names = await run("snmpbulkwalk", *by_user(READER, "-Oqv"), at, "entPhysicalName")
            of_blade = await run("snmpbulkwalk", *by_user(READER, "-n", "blade2", "-Oqv"), at, "entPhysicalName")
            unknown = await run("snmpbulkwalk", *by_user(READER, "-n", "blade9", "-r0", "-t1"), at, EVERYTHING)
            return whole, count, names, of_blade, unknown

    whole, count, names, of_blade, unknown = asyncio.run(story())
    assert len(instances(whole)) == count
    assert {"chassis", "slot 4", "blade 3", "blade 3 SoC temp", "blade 2 Fan speed", "Supply 2"} <= set(
        names.splitlines()
    )
    assert "blade 4" not in names.splitlines()
    assert {"blade 2", "SoC temp", "Fan"} <= set(of_blade.splitlines())
    assert "Bad context" in unknown


def test_our_names_and_values_as_a_person_reads_them(folder):
    async def story():
        async with manager_agent(folder) as manager:
            at = manager.agent.service.address
            slots = await run("snmpbulkwalk", *by_user(READER, "-OQ"), at, "mscSlotTable")
            power = await run("snmpget", *by_user(READER, "-OQ"), at, "mscPowerBudget.0", "mscStation.0")
            return slots, power

    slots, power = asyncio.run(story())
    assert "MEDIA-STATION-CHASSIS-MIB::mscSlotHotSwapState.1 = m4Active" in slots
    assert "MEDIA-STATION-CHASSIS-MIB::mscSlotRole.1 = director" in slots
    assert "MEDIA-STATION-CHASSIS-MIB::mscSlotHotSwapState.4 = m0NotInstalled" in slots
    assert not re.search(r"mscSlotEpoch\.4", slots), "of an empty slot nothing is made up"
    assert "mscPowerBudget.0 = 200000 milliwatts" in power
    assert "mscStation.0 = north" in power.replace('"', "")


def test_counters_follow_what_they_count(folder):
    async def story():
        now = [figures()]
        async with blade_agent(folder, lambda: now[0]) as agent:
            at = agent.service.address
            first = await run("snmpget", *by_user(READER, "-Oqv"), at, "mssPushBytes.0", "mssChannelReadBytes.1")
            channel = replace(CHANNELS[0], counted=ChannelCounters(read_bytes=(1 << 40) + 5))
            engine = replace(ENGINE, push_bytes=7_000_000)
            now[0] = figures(replace(MAIN_BOARD, engine=engine, channels=(channel, CHANNELS[1])))
            moved = f"{OURS}.2.1.1.6.7.0"

            async def pushed():
                return (await run("snmpget", *by_user(READER, "-Oqv"), at, moved)).split()[0]

            async with asyncio.timeout(PATIENCE_S):
                while await pushed() != "7000000":
                    pass
            return first.split(), (await run("snmpget", *by_user(READER, "-Oqv"), at, "mssChannelReadBytes.1")).split()

    first, second = asyncio.run(story())
    assert first[::2] == ["6580000", str(1 << 40)]
    assert second[0] == str((1 << 40) + 5)


def test_orders_need_a_view_to_write(folder):
    async def story():
        orders = Orders()
        async with manager_agent(folder, orders=orders) as manager:
            at = manager.agent.service.address
            refused = await run("snmpset", *by_user(READER), at, f"{ADMIN_STATE}.2", "i", 2)
            in_clear = await run("snmpset", "-v2c", "-c", "open", at, f"{ADMIN_STATE}.2", "i", 2)
            return refused, in_clear, orders.given

    refused, in_clear, given = asyncio.run(story())
    assert "authorizationError" in refused
    assert "authorizationError" in in_clear
    assert given == []


def test_orders_of_a_writer(folder):
    async def story():
        orders = Orders()
        async with manager_agent(folder, orders=orders) as manager:
            at = manager.agent.service.address

            async def set_to(*bindings):
                # Without modules: the tool is not to know which values are allowed.
                return await run("snmpset", *by_user(WRITER, "-Onq", "-m", ""), at, *bindings)

            both = await set_to(f"{ADMIN_STATE}.2", "i", 3, f"{IDENTIFY}.1", "i", 30)
            await set_to(f"{ADMIN_STATE}.3", "i", 2)
            await set_to(f"{ADMIN_STATE}.3", "i", 1)
            refusals = [
                await set_to(f"{ADMIN_STATE}.2", "i", 4),
                await set_to(f"{IDENTIFY}.2", "i", 256),
                await set_to(f"{IDENTIFY}.2", "s", "long"),
                await set_to(f"{ADMIN_STATE}.4", "i", 1),
                # One wrong binding, and none of them is set.
                await set_to(f"{IDENTIFY}.1", "i", 60, f"{ADMIN_STATE}.4", "i", 1),
            ]
            return both, refusals, orders.given

    both, refusals, given = asyncio.run(story())
    assert f".{ADMIN_STATE}.2 3" in both
    assert given == [("deactivate", 2), ("identify", 1, 30), ("drain", 3), ("activate", 3)]
    reasons = [re.search(r"Reason: (\w+)", said)[1] for said in refusals]
    assert reasons == ["wrongValue", "wrongValue", "wrongType", "inconsistentValue", "inconsistentValue"]


def test_a_blade_that_comes_and_goes_takes_its_rows_along(folder):
    async def story():
        now = [chassis()]
        async with manager_agent(folder, lambda: now[0]) as manager:
            at = manager.agent.service.address

            async def names():
                return (await run("snmpbulkwalk", *by_user(READER, "-Oqv"), at, "entPhysicalName")).splitlines()

            before = await names()
            now[0] = chassis(blade(1), blade(2), empty(3), blade(4))
            manager.changed()
            after = await names()
            return before, after, await run("snmpget", *by_user(READER, "-Oqv"), at, "mscHotSwapChanges.0")

    before, after, changes = asyncio.run(story())
    assert {name for name in before if name.startswith("blade 3")} != set()
    assert {name for name in after if name.startswith("blade 3")} == set()
    assert "blade 4 SoC temp" in after
    assert changes.split()[0] == "2"
