from itertools import pairwise

from blade_agent.hardware.reading import Quantity
from chassis_emulator.physics.attributes import Attributes


def test_a_chip_does_not_waver_between_two_steps(tmp_path):
    attributes = Attributes(tmp_path)
    path = attributes.chip("meter") / "power1_input"
    shown = []
    for watts in [3.049, 3.051] * 5:
        attributes.measure(path, Quantity.POWER, watts)
        shown.append(path.stat().st_ino)
    assert len(set(shown)) == 1, "nothing was written anew"


def test_a_chip_follows_what_it_measures_within_a_step(tmp_path):
    attributes = Attributes(tmp_path)
    path = attributes.chip("meter") / "temp1_input"
    values = [20 + step / 10 for step in range(100)]
    seen = []
    for celsius in values:
        attributes.measure(path, Quantity.TEMPERATURE, celsius)
        seen.append(int(path.read_text()) / 1000)
        assert abs(seen[-1] - celsius) <= 0.75 * 0.25 + 1e-9
    assert all(later >= earlier for earlier, later in pairwise(seen))
