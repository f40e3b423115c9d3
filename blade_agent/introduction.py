"""What a blade says of itself to whoever starts it by hand."""

from blade_agent.settings import UDP_PREFIX, BladeSettings
from blade_agent.version import installed_version
from media_network.address import Address


def what_it_is(settings: BladeSettings, board: str, service_port: str) -> str:
    """What it is and where it can be spoken to; `service_port` is a path, or empty where it has none."""
    lines = [
        f"blade in slot {settings.slot}: {board}, agent {installed_version()}",
        f"backplane: {_backplane(settings)}",
        f"service port: {_service_port(settings, service_port)}",
        f"control: {Address(settings.address, settings.control_port)}, once the chassis manager has assigned a role",
        f"media: {Address(settings.address, settings.media_port)}, likewise",
    ]
    if settings.snmp:
        lines.append(f"SNMP: {settings.snmp.host}:{settings.snmp.port}")
    return "\n".join(lines)


def _backplane(settings: BladeSettings) -> str:
    if settings.backplane.startswith(UDP_PREFIX):
        return f"UDP, {settings.backplane.removeprefix(UDP_PREFIX)}"
    return f"{settings.backplane}, {settings.baud_rate} baud"


def _service_port(settings: BladeSettings, path: str) -> str:
    if not path:
        return "none (`service_port` in the settings names one)"
    return f"{path} (ipmitool -I serial-basic -D {path}:{settings.baud_rate} mc info)"
