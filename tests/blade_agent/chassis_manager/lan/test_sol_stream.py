"""A console over packets that get lost, come twice, or are not taken."""

import pytest

from blade_agent.chassis_manager.lan.console_file import ConsoleFile
from blade_agent.chassis_manager.lan.sol_stream import LONGEST_TEXT_BYTES, SolStream


class Text:
    def __init__(self, text):
        self.text = text
        self.closed = False

    def read(self, most_bytes):
        text, self.text = self.text[:most_bytes], self.text[most_bytes:]
        return text

    def close(self):
        self.closed = True


def acknowledge(payload, taken=None, status=0):
    return bytes((0, payload[0], len(payload) - 4 if taken is None else taken, status))


@pytest.mark.parametrize("lost_of_ten", [0, 3])
def test_all_text_arrives_once_and_in_order(lost_of_ten):
    text = bytes(octet % 251 for octet in range(10 * LONGEST_TEXT_BYTES + 7))
    stream, now, heard, last, sent = SolStream(1, Text(text), 0.0), 0.0, b"", 0, 0
    while len(heard) < len(text):
        payloads = [stream.tick(now)]
        while payloads:
            payload = payloads.pop()
            if payload is None:
                continue
            sent += 1
            if sent % 10 < lost_of_ten:
                continue
            if payload[0] != last:
                heard, last = heard + payload[4:], payload[0]
            payloads += stream.receive(acknowledge(payload), now)
        now = max(now, stream.due)
        assert now < 60
    assert heard == text


def test_what_is_taken_in_part_or_not_at_all_is_sent_again():
    stream = SolStream(1, Text(b"abcdef"), 0.0)
    first = stream.tick(0.0)
    assert first == b"\1\0\0\0abcdef"
    [second] = stream.receive(acknowledge(first, taken=2), 0.1)
    assert second == b"\2\0\0\0cdef"
    assert stream.receive(acknowledge(second, taken=1, status=0x40), 0.2) == []
    assert stream.tick(stream.due) == b"\3\0\0\0def"


def test_what_is_typed_is_acknowledged_and_goes_nowhere():
    stream = SolStream(1, Text(b""), 0.0)
    assert stream.receive(b"\5\0\0\0hello", 0.0) == [b"\0\5\5\0"]
    assert stream.receive(b"\5\0", 0.0) == []


def test_a_packet_that_nobody_acknowledges_is_given_up_in_the_end():
    stream, now, sent = SolStream(1, Text(b"lost" + bytes(LONGEST_TEXT_BYTES - 4) + b"next"), 0.0), 0.0, []
    while not sent or sent[-1][0] == 1:
        sent.append(stream.tick(now))
        now = stream.due
    assert len(sent) == 9
    assert sent[-1] == b"\2\0\0\0next"


def test_a_log_is_read_from_near_its_end_and_again_when_it_begins_anew(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 5000 + b"\n")
    console = ConsoleFile(path)
    assert console.read(10_000) == b"x" * 4095 + b"\r\n"
    assert console.read(100) == b""
    path.write_bytes(b"anew\n")
    assert console.read(3) == b"ane"
    assert console.read(2) == b"w\r"
    assert console.read(100) == b"\n"
    console.close()
    with pytest.raises(OSError, match="nowhere"):
        ConsoleFile(tmp_path / "nowhere")
