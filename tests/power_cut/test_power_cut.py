"""The power cut after every operation of every durable file: what was acknowledged is there, nothing is half there, and
nobody has to be called.
"""

import os

import pytest

from tests.power_cut.cutting import cut_everywhere
from tests.power_cut.table import DURABLE

SOAK = os.environ.get("SOAK") == "1"


@pytest.mark.parametrize("durable", DURABLE, ids=lambda durable: durable.name)
def test_what_was_acknowledged_is_there_whenever_the_power_fails(durable, tmp_path):
    assert cut_everywhere(durable, tmp_path, drawn=10 * durable.drawn if SOAK else durable.drawn) > 5
