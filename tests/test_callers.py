"""The column of callers, whole: every verb as every kind of party, at every port where identities are shown."""

import asyncio
import random

import pytest
from msgspec import Struct

from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve_ports
from media_network.identity.identification import HostIdentities
from media_network.identity.identity import Identity, IdentityKind
from media_network.messages.verb import Caller, Done, Port, Verb
from media_network.refusal import Reason, Refused
from tests.golden_messages import example
from tests.verbs import VERBS

DOMAIN = "test.example"
PATHS = {
    IdentityKind.BLADE: "blade/north/1",
    IdentityKind.CENTER: "center/main",
    IdentityKind.HEADQUARTERS: "headquarters",
    IdentityKind.ACCOUNTS: "accounts",
    IdentityKind.OPERATOR: "operator/ada",
}
KINDS = {kind: Identity.named(DOMAIN, path) for kind, path in PATHS.items()}
SAID_BY = {
    IdentityKind.BLADE: {Caller.DIRECTOR, Caller.ENGINE, Caller.ANYBODY},
    IdentityKind.CENTER: {Caller.CENTER, Caller.ANYBODY},
    IdentityKind.HEADQUARTERS: {Caller.HEADQUARTERS, Caller.ANYBODY},
    IdentityKind.ACCOUNTS: {Caller.ANYBODY},
    IdentityKind.OPERATOR: {Caller.OPERATOR, Caller.ANYBODY},
    None: set(),
}
"""None is whoever shows nothing that counts."""
PARTY = Address("127.1.1.1", 8081)
MEDIA = Address(PARTY.host, 8080)


def everything():
    """A table that answers every verb there is."""
    table = HandlerTable("everything")

    async def answer(_):
        return Refused(Reason.NOT_READY, "heard")

    for verb in VERBS:
        table.verb(verb, answer)
    return table


def heard_from(kind):
    """The verbs that a party of this kind is heard with at a control port, and at a media port."""
    who = {ONLOOKER: KINDS[kind]} if kind else {}
    with Simulation(1) as simulation:

        async def be_party():
            own = HostIdentities(Identity.named(DOMAIN, "center/main"), who)
            async with serve_ports(everything(), control=PARTY, media=MEDIA, identification=own):
                await asyncio.Event().wait()

        async def be_asking():
            heard = {PARTY: set(), MEDIA: set()}
            async with HttpClient(random.Random(1)) as http:
                for port, address in ((Port.CONTROL, PARTY), (Port.MEDIA, MEDIA)):
                    for verb in (each for each in VERBS if port in each.ports):
                        answer = await http.ask(address, verb, example(verb.request))
                        if answer.reason is Reason.NOT_READY:
                            heard[address].add(verb.path)
                        else:
                            assert answer.reason is Reason.NOT_ALLOWED, answer
            return heard[PARTY], heard[MEDIA]

        simulation.start(simulation.host(PARTY.host), be_party)
        return simulation.run_until_complete(be_asking())


@pytest.mark.parametrize("kind", [*IdentityKind, None], ids=str)
def test_every_verb_is_heard_from_who_says_it_and_from_nobody_else(kind):
    control, media = heard_from(kind)
    assert control == {verb.path for verb in VERBS if SAID_BY[kind].intersection(verb.callers)}
    assert media == {verb.path for verb in VERBS if Caller.CONSOLE in verb.callers}


def test_every_caller_is_somebody():
    """Whoever says a verb that machines answer can show that he is one who does."""
    kinds = set().union(*SAID_BY.values())
    assert kinds == set(Caller) - {Caller.CONSOLE}


def test_there_is_no_verb_that_nobody_says():
    class Nothing(Struct):
        pass

    with pytest.raises(TypeError):
        Verb("test/nobody", Nothing, Done, "Nobody says it.")
    with pytest.raises(ValueError, match="nobody says test/nobody"):
        Verb("test/nobody", Nothing, Done, "Nobody says it.", callers=())
