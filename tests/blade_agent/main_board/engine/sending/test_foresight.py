"""Claim 21: what a stream will need of a segment that is still arriving, and when that will be here."""

from types import SimpleNamespace

import pytest

from blade_agent.main_board.engine.sending.transmission import Missed, Transmission
from blade_agent.main_board.engine.store.stored_segment import Filling
from media_network.address import Address
from media_network.packets import TS_PACKET_BYTES
from media_network.segment_index import BLOCK_BYTES

BLOCK_PACKETS = BLOCK_BYTES / TS_PACKET_BYTES
RATE_BPS = BLOCK_BYTES * 8
"""A block is played in a second."""
LENGTH_BYTES = 47 * BLOCK_BYTES
NOW_S = 100.0


class FastPlay:
    """A picture a block, at so many times the speed: what `TrickPlay` says of what has yet to be made."""

    def __init__(self, scale, blocks=range(LENGTH_BYTES // BLOCK_BYTES)):
        self.packets = LENGTH_BYTES // TS_PACKET_BYTES // scale
        self._scale, self._blocks = scale, blocks

    def needs(self):
        return [(int(block * BLOCK_PACKETS / self._scale), (block + 1) * BLOCK_BYTES) for block in self._blocks]


def sent_from_now_on(filling, play=None):
    """A transmission whose first packet is due now."""
    stored = SimpleNamespace(length_bytes=LENGTH_BYTES, filling=filling)
    transmission = Transmission(stored, Address("127.0.0.1", 5000), RATE_BPS, None, play)
    transmission.pacing.__init__(RATE_BPS, transmission._packets, 0, NOW_S)
    return transmission


def filling(blocks, *, times_the_rate):
    """So much is here, and more comes so fast."""
    return Filling(
        length_bytes=LENGTH_BYTES,
        verified_bytes=blocks * BLOCK_BYTES,
        began_at=NOW_S - blocks / times_the_rate,
        began_bytes=0,
        bytes_s=times_the_rate * RATE_BPS / 8,
    )


def test_of_a_segment_that_is_all_here_nothing_is_missed():
    assert sent_from_now_on(None).underrun(NOW_S) is None


def test_one_that_comes_faster_than_it_is_sent_is_in_time_at_the_program_s_own_speed():
    assert sent_from_now_on(filling(4, times_the_rate=1.2)).underrun(NOW_S) is None


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_at_another_speed_it_is_not_and_that_is_foreseen_at_once(scale):
    """The last block that is in time is the one at which what is shown has caught up with what has come."""
    missed = sent_from_now_on(filling(12, times_the_rate=1.2), FastPlay(scale)).underrun(NOW_S)
    assert missed.due_s > NOW_S + 0.4
    first = round(missed.packet * scale / BLOCK_PACKETS)
    assert first >= 12, "what is here already is not missed, however soon it is due"
    # Block n is here whole (n + 1 - 12) / 1.2 s from now, and is due n / scale s from now.
    late = [block for block in range(12, 47) if (block - 11) / 1.2 + 0.3 > block / scale]
    assert first == late[0]


def test_what_is_here_is_not_missed_though_it_is_due_at_once():
    here = filling(4, times_the_rate=1.2)
    assert sent_from_now_on(here, FastPlay(8, blocks=range(4))).underrun(NOW_S + 0.2) is None


def test_one_that_comes_too_slowly_is_missed_at_any_speed():
    missed = sent_from_now_on(filling(4, times_the_rate=0.5)).underrun(NOW_S)
    # The seventh block is here in six seconds, and due then.
    assert missed == Missed(int(6 * BLOCK_PACKETS), pytest.approx(NOW_S + 6, abs=0.01))


def test_one_of_which_nothing_comes_is_missed_where_it_ends():
    still = filling(4, times_the_rate=1.0)._replace(bytes_s=0.0)
    assert sent_from_now_on(still).underrun(NOW_S).packet == int(4 * BLOCK_PACKETS)
