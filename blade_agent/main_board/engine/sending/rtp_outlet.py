"""RTP streams on their way out, and the sender reports beside them (RFC 3550): from the service address of the station.

The address and what each datagram says are the same whichever engine sends, so that a player notices no hand-over.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blade_agent.main_board.engine.sending.push_socket import PushSocket
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.receiver_reports import ReceiverReports, open_receiver_reports
from blade_agent.main_board.service_socket import bound_at_service
from media_network.address import Address
from media_network.packets import TS_PACKET_BYTES
from media_network.rtp import (
    RECEPTIONS_MAX,
    RTP_DATAGRAM_BYTES,
    SENDER_REPORT_EVERY_S,
    Reception,
    RtpPlace,
    framed,
    goodbye,
    sender_report,
)

_GOODBYE_AFTER_S = 2.5
"""Players keep up to two seconds of a stream before they show it, and GStreamer loses what it has yet to show."""


class RtpOutlet:
    """Sends RTP to any console, and keeps what receivers say until the director is told."""

    def __init__(self, media: PushSocket, cname: str) -> None:
        self.media = media
        self.reports: ReceiverReports | None = None
        self._cname = cname
        self._received: dict[int, Reception] = {}

    def send(self, transmission: Transmission, batch: memoryview) -> None:
        """Send what comes next of a transmission, which has not been told yet that it has been sent."""
        place, packet, rate_bps = transmission.rtp, transmission.pacing.packet, transmission.rate_bps
        if place is None:
            raise ValueError("the transmission is not part of an RTP stream")
        self.media.send(framed(place, batch, packet, rate_bps), transmission.to)
        if _report_is_due(place, packet, packet + len(batch) // TS_PACKET_BYTES, rate_bps):
            self._say(sender_report(place, packet, rate_bps, time.time(), self._cname), transmission.to)

    def end(self, place: RtpPlace, packet: int, rate_bps: int, to: Address) -> None:
        """Tell a console that nothing follows after this packet: in a while, for players stop at once that hear it."""
        octets = goodbye(place, packet, rate_bps, time.time(), self._cname)
        asyncio.get_running_loop().call_later(_GOODBYE_AFTER_S, self._say, octets, to)

    def hear(self, reception: Reception) -> None:
        """A receiver has spoken, of whichever stream."""
        if reception.ssrc in self._received or len(self._received) < RECEPTIONS_MAX:
            self._received[reception.ssrc] = reception

    def take_received(self) -> tuple[Reception, ...]:
        """What has been heard since the last time."""
        received, self._received = tuple(self._received.values()), {}
        return received

    def _say(self, octets: bytes, to: Address) -> None:
        if self.reports:
            self.reports.send(octets, to._replace(port=to.port + 1))


def _report_is_due(place: RtpPlace, packet: int, end: int, rate_bps: int) -> bool:
    """Whether a multiple of the interval lies in what is sent: whoever sends, each is sent once."""
    period = rate_bps * SENDER_REPORT_EVERY_S // (TS_PACKET_BYTES * 8) or 1
    return (place.packets + packet - 1) // period != (place.packets + end - 1) // period


@asynccontextmanager
async def open_rtp_outlet(address: Address, cname: str) -> AsyncIterator[RtpOutlet]:
    """RTP from `address`, and RTCP at the port after it, while the context is open. Raises OSError."""
    loop, sock = asyncio.get_running_loop(), bound_at_service(address)
    transport, media = await loop.create_datagram_endpoint(lambda: PushSocket(RTP_DATAGRAM_BYTES), sock=sock)
    outlet = RtpOutlet(media, cname)
    try:
        async with open_receiver_reports(address._replace(port=address.port + 1), outlet.hear) as reports:
            outlet.reports = reports
            try:
                yield outlet
            finally:
                outlet.reports = None  # what was to be said later is not any more
    finally:
        transport.abort()
