"""What tokens cost a director: who is let in by one that was seen before, by a new one, by the ticket of a playlist.

Beside the first and the last stands a station that asks for nothing, beside the new one joserfc's own way with a token.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from joserfc import jwt
from joserfc.jwk import OKPKey

from benchmarks.figure import Figure, cpu_s, show
from blade_agent.main_board.director.admission import Admission
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.term import Term
from blade_agent.main_board.issuer_keys import IssuerKeys
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.refusal import Refused
from media_network.ticket import TicketKey
from media_network.tokens.claims import Claims, encode_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import Algorithm, KeySet, SigningKey, VerifyingKey
from media_network.tokens.settings import TokenSettings

TIMES = 20_000
TOKENS = 1_000
PROGRAM, SESSION = "film-5f1c09ab", "0" * 24
HERE = Address("127.0.0.1", 8080)


async def main() -> None:
    """Measure and print."""
    key = SigningKey.generate(Algorithm.ED25519)
    tokens = [token(key, number) for number in range(TOKENS)]
    async with asyncio.TaskGroup() as tasks:
        asking, open_to_all = admission(tasks, issuer(key)), admission(tasks, None)
        seen = await spent_us(lambda: asking.admit(tokens[0], PROGRAM), TIMES)
        free = await spent_us(lambda: open_to_all.admit(None, PROGRAM), TIMES)
        later = iter(tokens[1:])
        new = await spent_us(lambda: asking.admit(next(later), PROGRAM), TOKENS - 1)
        ticket = TicketKey(b"k" * 32).sign(SESSION, PROGRAM)
        segment = await spent_us(lambda: asking.refuse_ticket(ticket, SESSION, PROGRAM), TIMES)
        segment_free = await spent_us(lambda: open_to_all.refuse_ticket("", SESSION, PROGRAM), TIMES)
    library = library_us(key, tokens)
    without = "without authentication"
    show(
        Figure(figure="a viewer let in, token seen before", value=seen, unit="CPU us", peer=free, peer_name=without),
        Figure(figure="tokens verified first", value=1e6 / new, unit="1/s", peer=1e6 / library, peer_name="joserfc"),
        Figure(figure="ticket of a segment", value=segment, unit="CPU us", peer=segment_free, peer_name=without),
    )


def token(key: SigningKey, number: int) -> str:
    """One of many, as an authentication server issues them."""
    now = int(time.time())
    claims = Claims(
        iss="media-station",
        sub=f"{number:016x}",
        aud=("media-station",),
        iat=now,
        nbf=now,
        exp=now + 3600,
        jti=f"{number:016x}",
        cdniuc=Container.of([PROGRAM, "film-77aa0c31"]).text(),
    )
    return key.sign(encode_claims(claims))


def issuer(key: SigningKey) -> IssuerKeys:
    """What a blade knows of the server."""
    known = IssuerKeys(TokenSettings(server=str(HERE)), Path("/nowhere"), DiskFiles(), random.Random(1), HERE.host)
    known.keys = KeySet([VerifyingKey(key.public())])
    return known


def admission(tasks: asyncio.TaskGroup, known: IssuerKeys | None) -> Admission:
    """Of a director that asks for tokens, or for none."""
    duty = DirectorDuty(
        station="north", address=HERE, media=HERE, epoch=1, center=None, state=Path("/nowhere"), issuer=known
    )
    return Admission(
        Term(
            duty=duty,
            http=cast("HttpClient", None),
            rng=random.Random(1),
            tasks=tasks,
            tickets=TicketKey(b"k" * 32),
            began_at=0.0,
            counters=DirectorCounters(),
        )
    )


async def spent_us(ask: Callable[[], Awaitable[object]], times: int) -> float:
    """CPU microseconds a decision; nobody may be refused."""
    for _ in range(min(times // 10, 20) if times == TIMES else 0):
        await ask()
    begun = cpu_s()
    for _ in range(times):
        if isinstance(refused := await ask(), Refused):
            raise TypeError(str(refused))
    return (cpu_s() - begun) / times * 1e6


def library_us(key: SigningKey, tokens: list[str]) -> float:
    """The same by joserfc alone: parse, verify, check the claims."""
    jwk = key.public()
    public = OKPKey.import_key({"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x})
    registry = jwt.JWTClaimsRegistry(iss={"essential": True, "value": "media-station"})
    begun = cpu_s()
    for each in tokens:
        registry.validate(jwt.decode(each, public, algorithms=[jwk.alg]).claims)
    return (cpu_s() - begun) / len(tokens) * 1e6


if __name__ == "__main__":
    asyncio.run(main())
