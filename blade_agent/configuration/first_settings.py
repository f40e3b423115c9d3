"""The text of a settings file that a person begins with: what was found, each with where it comes from."""

from collections.abc import Mapping, Sequence

import msgspec

from blade_agent.configuration.found import FoundBoard

STATE = "/var/lib/media-station"
SEGMENTS = f"{STATE}/segments"
"""The only channel where there is no disk for data."""
ORDERS = "/run/media-station/chassis.sock"


def blade_text(board: FoundBoard, *, slot: int, address: str, backplane: str) -> str:
    """Settings of a blade."""
    interface = next((one.interface for one in board.addresses if one.address == address), "")
    channels = ", ".join(f"{{ path = {quoted(disk)}, mount = true }}" for disk in board.disks)
    lines = [
        *_head("a blade", "docs/operations/blade.md"),
        f"slot = {slot}",
        _line("address", address, f"of {interface}" if interface else "as told"),
        _line("profile", board.profile, board.title),
        _line("backplane", backplane, "as the profile says" if backplane == board.backplane else "as told"),
        *_service_port(board),
        *([f"baud_rate = {board.baud_rate}"] if board.baud_rate else []),
        _line("state", STATE),
        f"channels = [{channels or quoted(SEGMENTS)}]  # {_channels(board)}",
    ]
    return "\n".join(lines) + "\n"


def chassis_text(board: FoundBoard, *, station: str, wires: Mapping[int, str], center: str) -> str:
    """Settings of a chassis manager; a wire is a serial device, or `udp:HOST:PORT`."""
    lines = [
        *_head("a chassis manager", "docs/operations/chassis.md"),
        _line("station", station),
        _line("epoch_file", f"{STATE}/chassis/epoch"),
        _line("orders", ORDERS),
        _line("profile", board.profile, board.title),
        *([_line("center", center)] if center else []),
        "",
        "[slots]",
        *(f"{slot} = {_wire(wire)}" for slot, wire in sorted(wires.items())),
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as TOML has it: JSON's strings are basic strings of TOML (TOML 1.0, "String")."""
    return msgspec.json.encode(text).decode()


def _head(whose: str, document: str) -> Sequence[str]:
    return (
        f"# The settings of {whose}, begun by `blade-agent`; {document} describes every key.",
        "# `blade-agent config check` says what is wrong with them.",
        "",
    )


def _line(key: str, value: str, remark: str = "") -> str:
    return f"{key} = {quoted(value)}" + (f"  # {remark}" if remark else "")


def _service_port(board: FoundBoard) -> Sequence[str]:
    return [_line("service_port", board.service_port, "as the profile says")] if board.service_port else []


def _channels(board: FoundBoard) -> str:
    return "disks that are mounted here" if board.disks else "no disk for data is mounted here: the system's own"


def _wire(wire: str) -> str:
    if wire.startswith("udp:"):
        return f'{{ type = "udp", address = {quoted(wire.removeprefix("udp:"))} }}'
    return f'{{ type = "serial", path = {quoted(wire)} }}'
