"""The wires of a blade: its line to the backplane and, for a person with a cable, its service port."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.line import Framing, Line
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.serial_line import ServicePort, serial_line
from blade_agent.backplane.udp_line import udp_listener
from blade_agent.settings import UDP_PREFIX, BladeSettings
from media_network.address import Address

PSEUDO_TERMINAL = "pty"


@dataclass(frozen=True, kw_only=True)
class Wires:
    """Lines that are open."""

    backplane: Line
    framing: Framing
    service_port: Line | None = None
    service_port_path: str = ""


async def open_backplane(settings: BladeSettings) -> tuple[Line, Framing]:
    """Open the line to the chassis manager. Raises LineUnavailable, OSError, or ValueError for a bad address."""
    if settings.backplane.startswith(UDP_PREFIX):
        address = Address.parse(settings.backplane.removeprefix(UDP_PREFIX))
        return await udp_listener(address.host, address.port), Rmcp()
    return serial_line(settings.backplane, settings.baud_rate), BasicMode()


@contextmanager
def open_service_port(settings: BladeSettings) -> Iterator[tuple[Line | None, str]]:
    """Open the service port, if there is one; yields its line and its path."""
    if settings.service_port == PSEUDO_TERMINAL:
        port = ServicePort()
        try:
            yield port.line, port.path
        finally:
            port.close()
    elif settings.service_port:
        yield serial_line(settings.service_port, settings.baud_rate), settings.service_port
    else:
        yield None, ""
