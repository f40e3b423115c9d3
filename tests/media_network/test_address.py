import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media_network.address import Address


@given(st.ip_addresses(v=4).map(str), st.integers(1, 65535))
def test_what_is_written_is_read(host, port):
    assert Address.parse(str(Address(host, port))) == (host, port)


@given(st.text(max_size=24) | st.from_regex(r"\d+\.\d+\.\d+\.\d+:\d+", fullmatch=True))
@example("127.0.0.1:٣")
@example("127.0.0.1:80\n")
def test_hostile_text_is_an_address_or_a_value_error(text):
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert address.host.isascii()
    assert 0 < address.port < 65536


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "256.0.0.1:80", "127.0.0.01:80", "localhost:80",
     "[::1]:80", "http://127.0.0.1:80", "127.0.0.1:8" + "0" * 9000],
)  # fmt: skip
def test_what_is_not_an_address(text):
    with pytest.raises(ValueError, match="is not") as caught:
        Address.parse(text)
    assert len(str(caught.value)) < 200
