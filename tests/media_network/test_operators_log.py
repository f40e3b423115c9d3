"""The log: one line a record whatever is in it, and a storm fills nothing."""

import io
import logging

import pytest

from media_network.operators_log import LogRate, OneLine


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(clock):
    """A logger of its own with the product's filter and formatter, and what it has written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("%(levelname)s: %(message)s"))
    handler.addFilter(LogRate(clock))
    logger = logging.Logger("test")  # noqa: LOG001 -- one that the whole process does not have
    logger.addHandler(handler)
    logger.written = lambda: stream.getvalue().splitlines()
    return logger


def test_what_a_stranger_writes_stays_in_its_line(log):
    log.warning("%s is refused", "x\nERROR: all is lost\x1b[31m\u2028")
    assert log.written() == ["WARNING: x\\nERROR: all is lost\\x1b[31m\\u2028 is refused"]


def test_a_long_line_is_cut(log):
    log.warning("%s", "x" * 100_000)
    assert len(log.written()[0]) < 2100


def test_a_traceback_is_indented_below_its_line(log):
    try:
        int("inside")
    except ValueError:
        log.exception("it broke")
    first, *below = log.written()
    assert first == "ERROR: it broke"
    assert all(line.startswith("  ") for line in below)
    assert below[-1].startswith("  ValueError: ")


def test_a_storm_of_one_kind_is_a_line_a_second_and_says_what_it_left_out(log, clock):
    for number in range(100_000):
        clock.now_s += 0.001
        log.info("%d is refused", number)
    assert 190 <= len(log.written()) <= 210
    assert "more lines of this kind, which are left out)" in log.written()[-1]


def test_what_was_left_out_is_said_in_the_line_and_in_no_other_handlers(log, clock, caplog):
    log.addHandler(caplog.handler)
    for number in range(103):
        clock.now_s += number == 102
        log.info("it is refused")
    assert log.written()[-1] == "INFO: it is refused (and 2 more lines of this kind, which are left out)"
    assert caplog.messages[-1] == "it is refused"


def test_a_storm_of_one_kind_leaves_room_for_others(log, clock):
    for number in range(10_000):
        clock.now_s += 0.001
        log.info("%d is refused", number)
    log.info("the director is appointed")
    assert log.written()[-1] == "INFO: the director is appointed"


def test_all_kinds_together_are_bounded_but_errors_come_through(log, clock):
    kinds = [compile(f"{chr(10) * number}log.info('kind %d', {number})", "kinds", "exec") for number in range(500)]
    for _ in range(20):
        clock.now_s += 1
        for kind in kinds:
            exec(kind, {"log": log})
    assert len(log.written()) < 400 + 3 * 20 + 10
    log.error("the disk is lost")
    assert log.written()[-1] == "ERROR: the disk is lost"
