"""ipmitool at a running station: by cable at a blade's service port, or through its chassis manager."""

import shlex
import subprocess


def by_cable(station, slot):
    """At a blade's service port, which is no wire of the chassis manager's."""
    return ["-I", "serial-basic", "-D", f"{station.blade('north', slot)['serial']}:115200"]


def bridged(station, slot):
    """Through the chassis manager, over the backplane."""
    manager = next(row for row in station.ps() if row["name"] == "north/manager")
    host, port = manager["ipmi"].split(":")
    user = station.json("chassis-emulator", "credentials")["ipmi"]
    login = ["-U", user["user"], "-P", user["password"]]
    return ["-I", "lanplus", "-H", host, "-p", port, *login, "-C", "17", "-t", hex(2 * (0x40 + slot))]


def ipmitool(way, command):
    """What it did and wrote."""
    return subprocess.run(
        ["ipmitool", *way, *shlex.split(command)],
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/usr/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
