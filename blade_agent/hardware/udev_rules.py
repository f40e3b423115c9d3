"""Rules that give the serial ports of a board names of their own: `/dev/backplane` is that, whatever drives it."""

from pathlib import PurePosixPath

from blade_agent.hardware.profile import HardwareProfile


def rules_for(profile: HardwareProfile) -> str:
    """Rules of udev(7), a line each; none where the profile knows neither port."""
    ports = {"backplane": profile.backplane, "service-port": profile.service_port}
    lines = [
        f'SUBSYSTEM=="tty", KERNEL=="{PurePosixPath(port.device).name}", SYMLINK+="{name}"\n'
        for name, port in ports.items()
        if port
    ]
    return "".join(lines)
