"""A headquarters as net-snmp's tools see it, and what it tells."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from distribution_center.headquarters.figures import HeadquartersFigures, OrderCounters
from distribution_center.headquarters.objects import HeadquartersObjects
from distribution_center.headquarters.snmp import headquarters_snmp
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.arcs import HEADQUARTERS
from media_network.snmp.objects.times import Uptime
from tests.blade_agent.snmp.agents import READER, run, settings, until
from tests.blade_agent.snmp.test_objects import HEADQUARTERS as FIGURES
from tests.mib_facts import HEADQUARTERS as MODULE
from tests.mib_facts import MIBS, SMI, readable

EAST, WEST = FIGURES.centers
CENTER_NAME = (*HEADQUARTERS, 1, 3, 1, 2)


@pytest.mark.peer("snmpbulkwalk")
def test_centers_and_orders(tmp_path):
    async def figures():
        return FIGURES

    async def story():
        async with headquarters_snmp(settings(), tmp_path, figures, rng=random.Random(3)) as agent:
            await until(lambda: len(agent.index.contexts[b""].type_of(CENTER_NAME).rows))
            user = ("-v3", "-l", "authPriv", "-u", READER.user, "-a", "SHA-256", "-A", READER.auth_password)
            how = (*user, "-x", "AES", "-X", READER.priv_password, "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-OQs")
            return await run("snmpbulkwalk", *how, agent.service.address, "mediaStationHeadquartersMIB")

    written = asyncio.run(story()).replace('"', "")
    for line in (
        "mshCenters.0 = 2 centers",
        "mshCentersAway.0 = 1 centers",
        "mshPrograms.0 = 3 programs",
        "mshOrdersOpen.0 = 3 orders",
        "mshOrdersDone.0 = 4 orders",
        "mshOrdersFailed.0 = 5 orders",
        "mshOrdersCancelled.0 = 6 orders",
        "mshCenterName.2 = west",
        "mshCenterAddress.1 = 127.0.0.2:8081",
        "mshCenterReachable.1 = true",
        "mshCenterReachable.2 = false",
        "mshCenterSilence.1 = 1 seconds",
        "mshCenterOrders.1 = 2 orders",
    ):
        assert line in written
    assert "mshCenterSilence.2" not in written, "it was never heard"
    assert {line.partition(".")[0] for line in written.splitlines()} == readable(MODULE)


def test_a_center_that_is_away_and_back():
    told = []
    alarms = Alarms(Uptime(lambda: 0.0), told.append, wall=lambda: 0.0)
    headquarters = HeadquartersObjects(alarms, told.append)

    def shown(*centers, unasked=()):
        counted = OrderCounters()
        headquarters.update(HeadquartersFigures(centers=centers, unasked=frozenset(unasked), counted=counted))
        names = [one.kind.name for one in told]
        told.clear()
        return names

    away = replace(EAST, reachable=False, obstacle="nobody answers")
    assert shown(away, unasked=["east"]) == [], "it had no time to answer"
    assert shown(EAST) == ["mshCenterBack"]
    assert shown(EAST) == []
    assert shown(away) == ["mshCenterAway", "msaAlarmRaised"]
    assert shown(away) == []
    assert shown(EAST) == ["mshCenterBack", "msaAlarmCleared"]
    assert shown(EAST, WEST) == ["mshCenterAway", "msaAlarmRaised"]
    [alarm] = alarms.active()
    assert (alarm.cause.resource, alarm.cause.text) == (
        "west",
        "Distribution center west does not answer the headquarters: nobody answers.",
    )
