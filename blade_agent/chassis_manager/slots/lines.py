"""The lines to the slots: opened as the settings say, and given back."""

from collections.abc import Mapping

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.line import Framing, Line
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.serial_line import serial_line
from blade_agent.backplane.udp_line import managing_udp_line
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, UdpPeer
from media_network.address import Address


async def open_lines(settings: ManagerSettings) -> dict[int, Line]:
    """Open every slot's line.

    Raises AlreadyHeld: another process has one; LineUnavailable: a serial port cannot be opened. Those that were opened
    are closed again.
    """
    lines: dict[int, Line] = {}
    try:
        for number, wire in settings.slots.items():
            lines[number] = await _open(wire)
    except BaseException:
        close_lines(lines)
        raise
    return lines


def close_lines(lines: Mapping[int, Line]) -> None:
    """Give the wires back."""
    for line in lines.values():
        line.close()


def framing_of(wire: SerialPort | UdpPeer) -> Framing:
    """Give how messages are told apart on a wire."""
    return BasicMode() if isinstance(wire, SerialPort) else Rmcp()


async def _open(wire: SerialPort | UdpPeer) -> Line:
    if isinstance(wire, SerialPort):
        return serial_line(wire.path, wire.baud_rate_bps)
    return await managing_udp_line(Address.parse(wire.address))
