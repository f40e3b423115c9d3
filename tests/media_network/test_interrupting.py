import signal
import subprocess
import sys

import pytest

from media_network.interrupting import ended_like_interrupted, ending_silently, putting_off_interrupts


@pytest.fixture(autouse=True)
def _heeded():
    """A suite in the background ignores SIGINT, one under nohup SIGHUP."""
    heeding = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in heeding.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_interrupt_is_put_off_until_the_end():
    done = []

    def work():
        with putting_off_interrupts():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with putting_off_interrupts():
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_command_is_taken_like_an_interrupt_and_put_off_like_one(number):
    before = signal.getsignal(number)
    done = []

    def work():
        with ended_like_interrupted():
            with putting_off_interrupts():
                signal.raise_signal(number)
                done.append("first")
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    with pytest.raises(KeyboardInterrupt), ended_like_interrupted():
        signal.raise_signal(number)
    assert done == ["first"]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("context", [ending_silently, putting_off_interrupts, ended_like_interrupted])
def test_where_interrupts_are_ignored_they_stay_so(context):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with context():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_the_end_without_a_word_is_by_the_signal_and_only_inside():
    script = (
        "import signal; from media_network.interrupting import ending_silently\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with ending_silently(): pass\n"
        "try: signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt: print('heard', flush=True)\n"
        "with ending_silently(): signal.raise_signal(signal.SIGINT)\n"
        "print('went on')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "heard\n", "")
