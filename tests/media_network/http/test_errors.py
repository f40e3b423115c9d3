import pytest

from media_network.address import Address
from media_network.http.errors import NetworkError, Unintelligible, Unreachable
from media_network.refusal import Reason, Refused

PEER = Address("127.1.0.1", 8080)


def test_errors_carry_facts_and_say_them():
    lost = Unreachable(PEER, "director/play", "connection refused", received=False)
    assert (lost.peer, lost.verb, lost.cause, lost.received) == (PEER, "director/play", "connection refused", False)
    assert str(lost) == "127.1.0.1:8080 did not answer 'director/play': connection refused"
    odd = Unintelligible(PEER, "director/play", 418, "short and stout")
    assert (odd.status, odd.excerpt) == (418, "short and stout")
    assert str(odd) == "127.1.0.1:8080 answered 'director/play' with HTTP 418: 'short and stout'"
    assert isinstance(lost, NetworkError)
    assert isinstance(odd, NetworkError)


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_says_something(reason):
    assert str(Refused(reason)) == reason.value.replace("_", " ")
    assert str(Refused(reason, "the facts")) == "the facts"
