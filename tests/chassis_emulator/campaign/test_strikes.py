"""What befalls a network follows from the seed and the number of the round, and from nothing else."""

from chassis_emulator.campaign.campaign import topology_of
from chassis_emulator.campaign.strikes import STORM_S, Aim, Blow, draw_strikes

TOPOLOGY = topology_of(90)


def test_a_round_repeats_whatever_the_rounds_before_were():
    later = [draw_strikes(7, number, TOPOLOGY) for number in (1, 2, 3)][-1]
    assert draw_strikes(7, 3, TOPOLOGY) == later
    assert draw_strikes(8, 3, TOPOLOGY) != later
    assert draw_strikes(7, 4, TOPOLOGY) != later


def test_a_few_rounds_hit_everybody_in_every_way():
    strikes = [strike for number in range(1, 40) for strike in draw_strikes(1, number, TOPOLOGY)]
    slots = {station.name: station.slots for station in TOPOLOGY.stations}
    assert all(0 <= strike.at_s <= STORM_S and 1 <= strike.slot <= slots[strike.station] for strike in strikes)
    hit = {(strike.blow, strike.aim) for strike in strikes}
    assert hit == {(blow, aim) for blow in Blow for aim in Aim} - {(Blow.PULL, Aim.MANAGER), (Blow.PULL, Aim.CENTER)}
    assert {strike.station for strike in strikes} == set(slots)
