"""A viewer who pauses, seeks and goes fast, with what a witness has to know of it."""

import asyncio
import random

from chassis_emulator.media_console.remote import Remote
from chassis_emulator.simulation.witness import StreamWitness
from media_network.messages.steering import SeekStyle, Steered
from media_network.messages.watching import SessionState
from media_network.refusal import Reason, Refused
from media_network.trick import SCALES

_ORDERS_MAX = 5
_BETWEEN_S = (0.3, 3.0)
_PAUSED_S = (0.05, 4.0)
_INSISTS = 20
_NOTHING_PLAYS = Refused(Reason.NOT_READY, "nothing plays")
_NOT_OBEYED = Refused(Reason.UNABLE, "the stream does what was not ordered")


class Restless:
    """What a viewer has ordered, and how often that was done."""

    def __init__(self) -> None:
        self.ordered = 0
        self.obeyed = 0

    async def be(self, remote: Remote, rng: random.Random, witness: StreamWitness) -> None:
        """Pause and go on, seek, and go faster or backwards, a few times; then see the rest."""
        for _ in range(rng.randint(2, _ORDERS_MAX)):
            await asyncio.sleep(rng.uniform(*_BETWEEN_S))
            if remote.stream is None:
                return
            self.ordered += 1
            order = rng.choice((_pause_a_while, _seek, _go))
            answer = await order(remote, rng, witness)
            if isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_SESSION:
                # It went fast, and has come to the end meanwhile.
                self.ordered -= 1
                break
            self.obeyed += isinstance(answer, Steered)
        while remote.stream:
            # Who has gone back to the beginning stands there.
            if remote.stream.is_paused:
                witness.expect_stream(remote.stream.address)
                await remote.resume()
            await asyncio.sleep(rng.uniform(*_BETWEEN_S))


async def _pause_a_while(remote: Remote, rng: random.Random, witness: StreamWitness) -> Steered | Refused:
    if remote.stream is None:
        return _NOTHING_PLAYS
    console = remote.stream.address
    answer = await remote.pause()
    if not _is(answer, SessionState.PAUSED):
        return answer if isinstance(answer, Refused) else _NOT_OBEYED
    witness.expect_silence(console)
    await asyncio.sleep(rng.uniform(*_PAUSED_S))
    if rng.random() < 0.3:
        await _seek(remote, rng, witness)
    witness.expect_stream(console)
    answer = await remote.resume()
    for _ in range(_INSISTS):
        if _is(answer, SessionState.STREAMING) or remote.stream is None:
            break
        # A picture that stands still is not what a viewer puts up with.
        await asyncio.sleep(rng.uniform(*_BETWEEN_S))
        answer = await remote.resume()
    return answer if _is(answer, SessionState.STREAMING) or isinstance(answer, Refused) else _NOT_OBEYED


async def _seek(remote: Remote, rng: random.Random, witness: StreamWitness) -> Steered | Refused:
    if remote.stream is None:
        return _NOTHING_PLAYS
    witness.expect_jump(remote.stream.address)
    to_ms, style = rng.randrange(remote.stream.duration_ms), rng.choice((SeekStyle.PRIOR, SeekStyle.NEXT))
    return await remote.seek(to_ms, style)


async def _go(remote: Remote, rng: random.Random, witness: StreamWitness) -> Steered | Refused:
    if remote.stream is None:
        return _NOTHING_PLAYS
    witness.expect_jump(remote.stream.address)
    return await remote.go(rng.choice(SCALES))


def _is(answer: Steered | Refused, state: SessionState) -> bool:
    return isinstance(answer, Steered) and answer.state is state
