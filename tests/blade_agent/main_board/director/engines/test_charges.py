"""What sessions ask of engines at a moment: the sums that are kept are what follows from the charges."""

import random
from math import inf

import pytest

from blade_agent.main_board.director.engines.charges import Charges
from blade_agent.main_board.director.sessions.charge import Charge
from tests.blade_agent.main_board.director.stage import engine_address

ENGINES = [engine_address(slot) for slot in (2, 3)]
MOMENTS = 12


def load_bps(sessions, engine, at, now):
    """As `Charges.load_bps`, from the charges alone."""
    charges = [charge for charges in sessions.values() for charge in charges if charge.engine == engine]
    return sum(
        charge.rate_bps
        for charge in charges
        if charge.begins_at <= at and (at < charge.ends_at or (charge.ends_at <= now and not charge.goes))
    )


def leaving_bps(sessions, engine, at, within_s):
    charges = [charge for charges in sessions.values() for charge in charges if charge.engine == engine]
    return sum(charge.rate_bps * max(0.0, 1 - abs(charge.ends_at - at) / within_s) for charge in charges)


def some_charges(rng, now):
    charges = []
    for _ in range(rng.randrange(3)):
        begins_at = now + rng.randrange(-4, 4)
        ends_at = rng.choice([begins_at + rng.randrange(5), inf])
        charges.append(
            Charge(
                engine=rng.choice(ENGINES),
                rate_bps=rng.choice([3, 5]),
                begins_at=begins_at,
                ends_at=ends_at,
                goes=rng.random() < 0.5,
            )
        )
    return tuple(charges)


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_are_what_follows_from_the_charges(seed):
    rng, charges, sessions = random.Random(seed), Charges(), {}
    for now in range(MOMENTS):
        for _ in range(6):
            name = f"session {rng.randrange(8)}"
            sessions[name] = some_charges(rng, now)
            charges.put(name, sessions[name])
            for engine in ENGINES:
                at = now + rng.choice([0, 0.5, 1, 3])
                assert charges.load_bps(engine, at, now) == load_bps(sessions, engine, at, now)
                rooms = ({each.rate_bps for each in its if each.engine == engine} for its in sessions.values())
                assert charges.room_bps(engine) == sum(max(room, default=0) for room in rooms)
                ahead = now + 3.0
                near = leaving_bps(sessions, engine, ahead, 2.0)
                assert charges.leaving_bps(engine, ahead, 2.0) == pytest.approx(near)
    for name in sessions:
        charges.put(name, ())
    assert all(charges.load_bps(engine, MOMENTS, MOMENTS) == charges.room_bps(engine) == 0 for engine in ENGINES)
    assert not charges._at, "nothing is kept of what is over"


def test_what_a_session_leaves_is_no_load_for_itself():
    charges = Charges()
    charges.put("overdue", (Charge(engine=ENGINES[0], rate_bps=3, begins_at=0.0, ends_at=4.0),))
    charges.put("ahead", (Charge(engine=ENGINES[0], rate_bps=5, begins_at=0.0, ends_at=9.0, goes=True),))
    assert charges.load_bps(ENGINES[0], 5.0, 5.0) == 8
    assert charges.load_bps(ENGINES[0], 5.0, 5.0, "overdue") == 5
    assert charges.load_bps(ENGINES[0], 5.0, 5.0, "ahead") == 8
    assert charges.room_bps(ENGINES[0], "ahead") == 3
