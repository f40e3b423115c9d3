"""The figures that need no network of their own can be measured: a benchmark that nobody runs would rot."""

import pytest

from benchmarks.__main__ import run_once


@pytest.mark.timeout(660)
@pytest.mark.parametrize("name", ["pull", "copy", "cutter", "redirect", "control_call", "mutual_tls", "tokens"])
def test_it_measures(name):
    figures = run_once(name)
    assert figures
    for figure in figures:
        assert figure.value > 0
        assert figure.peer > 0
