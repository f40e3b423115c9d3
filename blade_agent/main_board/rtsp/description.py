"""A program as it is described to players (SDP, RFC 4566): one stream of RTP/MP2T. No I/O."""

from blade_agent.main_board.rtsp.fields import STREAM
from blade_agent.main_board.rtsp.play_time import lasts_ms
from media_network.packets import TICK_HZ
from media_network.program_header import ProgramHeader
from media_network.rtp import PAYLOAD_TYPE


def description_of(header: ProgramHeader, host: str) -> bytes:
    """What `DESCRIBE` is answered; `host` is the one that answers."""
    number = int(header.table[:15], 16)
    lines = (
        "v=0",
        f"o=- {number} {header.version} IN IP4 {host}",
        f"s={_one_line(header.title) or header.program}",
        "c=IN IP4 0.0.0.0",
        f"b=AS:{-(-header.rate_bps * 1328 // 1316 // 1000)}",
        "t=0 0",
        "a=control:*",
        f"a=range:npt=0-{lasts_ms(header) / 1000:.3f}",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} MP2T/{TICK_HZ}",
        f"a=control:{STREAM}",
    )
    return "\r\n".join((*lines, "")).encode()


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
